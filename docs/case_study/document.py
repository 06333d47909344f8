"""The case study's text: the template, filled from the recorded results."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from statistics import mean
from typing import Any

from claims import pooled

FOLDER = Path(__file__).resolve().parent
NOTE = (
    "<!-- Written by `make case-study` from docs/case_study/template.md and results.json: change these instead. -->\n\n"
)


def text(results: dict[str, Any]) -> str:
    """The whole document in Markdown."""
    template = (FOLDER / "template.md").read_text(encoding="utf-8")
    shown = next(name for name, one in results["usual"].items() if one["curves"])
    filled = results | {
        "shown": {"ticker": shown} | results["usual"][shown],
        "settings": _settings(),
        "usual_table": _usual_table(results["usual"]),
        "network_table": _network_table(results["runs"]),
        "step_table": _step_table(results["runs"]),
        "seeds": len(results["runs"]["gru"]),
        "test": results["runs"]["gru"][0],
        "range": results["outcomes"]["gru"],
        "direction": results["outcomes"]["free"],
        "together": pooled(results["usual"]),
        "free_gains": ", ".join(f"{-one['close_gain']:.2%}" for one in results["runs"]["free"]),
        "waves": results["waves"] | {"quarter": results["waves"]["ranges"][-1]},
    }
    return NOTE + wrapped(template.format(**filled))


def wrapped(markdown: str, width: int = 120) -> str:
    """Paragraphs in even lines, now that their numbers stand in them; code, tables and the like as they are."""
    parts = re.split(r"(```.*?```)", markdown, flags=re.DOTALL)
    for place in range(0, len(parts), 2):
        paragraphs = parts[place].split("\n\n")
        parts[place] = "\n\n".join(
            one if not one.strip() or one.lstrip()[0] in "|#!" else _filled(one, width) for one in paragraphs
        )
    return "".join(parts)


def _filled(paragraph: str, width: int) -> str:
    """A paragraph anew, with the line ends that stood around it."""
    before, after = (len(paragraph) - len(strip("\n")) for strip in (paragraph.lstrip, paragraph.rstrip))
    lines = textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
    return "\n" * before + lines.strip() + "\n" * after


def _settings() -> dict[str, Any]:
    """What the script itself was told, read from its source: torch is not needed to write a text."""
    lines = (FOLDER / "usual.py").read_text(encoding="utf-8").splitlines()
    names, values = next(line for line in lines if line.startswith("CONTEXT,")).split(" = ")
    return dict(zip(names.split(", "), map(float, values.split(", ")), strict=True))


def _usual_table(usual: dict[str, Any]) -> str:
    rows = ["| stock | fit to the prices | its miss, in misses of yesterday's close | days late | direction right |"]
    rows.append("|---|---|---|---|---|")
    rows += [
        f"| {name} | {one['fit']:.3f} | {one['times']:.2f} | {one['lag']} | {one['right']:.1%} ± {one['coin']:.1%} |"
        for name, one in usual.items()
    ]
    return "\n".join(rows)


def _network_table(runs: dict[str, Any]) -> str:
    rows = ["| network | weights | skill, each seed | mean | largest p | 80% band held |"]
    rows.append("|---|---|---|---|---|---|")
    for name in ("dnn", "rnn", "lstm", "gru"):
        if many := runs.get(name):
            seeds = ", ".join(f"{one['skill']:+.2%}" for one in many)
            skill = f"{mean(one['skill'] for one in many):+.2%}"
            held = f"{mean(one['held'] for one in many):.1%}"
            weights = f"{many[0]['parameters']:,}"
            worst = max(one["p"] for one in many)
            rows.append(f"| {name.upper()} | {weights} | {seeds} | {skill} | {worst:.2g} | {held} |")
    return "\n".join(rows)


def _step_table(runs: dict[str, Any]) -> str:
    """Skill at each step, mean of the seeds."""
    steps = list(runs["gru"][0]["steps"])
    rows = [f"| asked for | {' | '.join(f'day {step}' for step in steps)} |", "|---" * (len(steps) + 1) + "|"]
    for label, name in (("the next candle (N-to-1)", "one"), (f"the next {len(steps)} (N-to-M)", "gru")):
        found = [[one["steps"][step] for one in runs[name] if step in one["steps"]] for step in steps]
        rows.append(f"| {label} | {' | '.join(f'{mean(own):+.2%}' if own else '' for own in found)} |")
    return "\n".join(rows)
