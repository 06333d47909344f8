"""The memory benchmark's picture, and the part of its README between the marks, from results.json."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from draw import draw
from recall import SOLVED, TRIALS

START, END = "<!-- written by run.py -->\n", "<!-- end -->"


def tell(folder: Path) -> None:
    """The picture and the README's numbers, from results.json."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    draw(results, folder / "memory.svg")
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else START + END
    before, rest = text.split(START)
    readme.write_text(before + START + numbers(results) + END + rest.split(END)[1], encoding="utf-8")


def numbers(results: dict[str, Any]) -> str:
    """Tables and what they say, in Markdown."""
    delays, found = results["delays"], results["recalled"]
    lines = [
        f"Recalled at each delay, in % (mean of {results['seeds']} seeds, {TRIALS:,} sequences each; chance is 50),",
        f"after at most {results['most_steps']} training steps; {results['cpu_minutes']:g} CPU-minutes in all. A dash:",
        "not tried, as no seed recalled at the two shorter delays.\n",
        f"| cell | {' | '.join(map(str, delays))} | recalls up to |",
        "|---|" + "---|" * (len(delays) + 1),
    ]
    for label, own in found.items():
        means = [f"{100 * statistics.mean(own[str(delay)]):.0f}" if str(delay) in own else "–" for delay in delays]
        lines.append(f"| {label} | {' | '.join(means)} | {_reach(own, delays) or 'none of them'} |")
    places = [k for k in (1, 10, 50, 100, 400) if k <= delays[-1]]
    lines += [
        "\nGradient of the output to the input k steps ago, relative to its largest (median of the seeds):\n",
        f"| cell | {' | '.join(f'k = {k}' for k in places)} |",
        "|---|" + "---|" * len(places),
    ]
    for when, title in (("start", "untrained"), ("trained", f"trained at {results['trained_at']}")):
        for label in found:
            curve = results["gradient"][when][label]
            lines.append(f"| {label}, {title} | {' | '.join(f'{curve[k]:.0e}' for k in places)} |")
    return "\n".join(lines) + "\n\n" + _verdict(found, delays)


def _verdict(found: dict[str, dict[str, list[float]]], delays: list[int]) -> str:
    reach = {label: _reach(own, delays) for label, own in found.items()}
    lines = ['**"The RNN has a short memory, GRU and LSTM a long one":**\n']
    for title, mark in (("with the gates as torch makes them", ""), ("with the gates opened", ", gates opened")):
        own = {cell: reach[cell + mark] for cell in ("GRU", "LSTM")}
        steps = " and ".join(f"the {cell} over {value}" for cell, value in own.items())
        word = "holds" if min(own.values()) > reach["RNN"] else "does NOT hold"
        lines.append(f"- {title} it **{word}**: every seed of {steps} steps, of the RNN over {reach['RNN']}.")
    if short := ", ".join(label for label, value in reach.items() if value < delays[-1]):
        lines.append(f"- Not up to the longest delay in so few training steps: {short}.")
    return "\n".join(lines) + "\n"


def _reach(own: dict[str, list[float]], delays: list[int]) -> int:
    """The longest delay up to which every seed recalls."""
    reach = 0
    for delay in delays:
        if min(own.get(str(delay), [0.0])) < SOLVED - 0.01:
            break
        reach = delay
    return reach
