"""The memory benchmark's picture, and the part of its README between the marks, from results.json."""

from __future__ import annotations

import json
import statistics
import textwrap
from pathlib import Path
from typing import Any

from draw import draw
from recall import SOLVED, TRIALS

WIDTH = 120
START, END = "<!-- written by run.py -->\n", "<!-- end -->"


def write_page(folder: Path) -> None:
    """The picture and the README's numbers, from results.json."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    draw(results, folder / "memory.svg")
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else START + END
    before, rest = text.split(START)
    readme.write_text(before + START + numbers(results) + END + rest.split(END)[1], encoding="utf-8")


def numbers(results: dict[str, Any]) -> str:
    """Tables and what they say, in Markdown."""
    return "\n".join([*_recall_table(results), *_gradient_table(results), *_verdict(results)]) + "\n"


def _recall_table(results: dict[str, Any]) -> list[str]:
    delays, seeds = results["delays"], results["seeds"]
    rates = " and then ".join(f"{rate:g}" for rate in results["rates"])
    text = (
        f"Seeds that recall, of {seeds}, at each delay (steps between symbol and question). A seed recalls when "
        f"it answers {SOLVED:.0%} of {TRIALS:,} fresh sequences correctly (chance is 50%). Its training stops there, "
        f"or after {results['most_steps']:,} steps with each of two learning rates, {rates}. In brackets the training "
        "steps that were needed, with the learning rate that got there first: the median of the seeds that recall. A "
        f"dash: not tried, as not every seed recalled at the delay before (at {results['trained_at']} all are tried)."
    )
    lines = [
        f"{textwrap.fill(text, WIDTH)}\n",
        f"| cell | {' | '.join(map(str, delays))} | all seeds recall up to |",
        "|---|" + "---|" * (len(delays) + 1),
    ]
    for label, own in results["recalled"].items():
        cells = [_cell(own[str(delay)]) if str(delay) in own else "–" for delay in delays]
        lines.append(f"| {label} | {' | '.join(cells)} | {_reach(own, delays) or 'none of them'} |")
    return [*lines, f"\n{results['cpu_minutes']:.0f} CPU-minutes in all."]


def _cell(runs: list[dict[str, Any]]) -> str:
    steps = [run["steps"] for run in runs if run["steps"] is not None]
    return f"{len(steps)} ({statistics.median(steps):,.0f})" if steps else "0"


def _gradient_table(results: dict[str, Any]) -> list[str]:
    places = [k for k in (1, 10, 50, 100, 400) if k <= results["delays"][-1]]
    lines = [
        "\nGradient of the output with respect to the input k steps ago, relative to its largest (median of seeds):\n",
        f"| cell | {' | '.join(f'k = {k}' for k in places)} |",
        "|---|" + "---|" * len(places),
    ]
    for when, title in (("start", "untrained"), ("trained", f"trained at {results['trained_at']}")):
        for label, curve in results["gradient"][when].items():
            lines.append(f"| {label}, {title} | {' | '.join(f'{curve[k]:.0e}' for k in places)} |")
    return lines


def _verdict(results: dict[str, Any]) -> list[str]:
    reach = {label: _reach(own, results["delays"]) for label, own in results["recalled"].items()}
    lines = ['\n**"The RNN has a short memory, GRU and LSTM a long one":**\n']
    for title, mark in (("with torch's default gates", ""), ("with the gates opened", ", gates opened")):
        own = {cell: reach[cell + mark] for cell in ("GRU", "LSTM")}
        steps = ", ".join(f"the {cell} over {value}" for cell, value in own.items())
        word = "holds" if min(own.values()) > reach["RNN"] else "does NOT hold"
        lines.append(f"- {title} it **{word}**: all seeds of {steps} and the RNN over {reach['RNN']} steps.")
    return lines


def _reach(own: dict[str, list[dict[str, Any]]], delays: list[int]) -> int:
    """The longest delay up to which every seed recalls."""
    reach = 0
    for delay in delays:
        if any(run["steps"] is None for run in own.get(str(delay), [{"steps": None}])):
            break
        reach = delay
    return reach
