"""The case study's text: the template, filled from the recorded results."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

from claims import CELLS, NETWORKS, SIGNIFICANT, contrast, pooled
from tables import margins, network_table, step_table, usual_table

FOLDER = Path(__file__).resolve().parent
NOTE = (
    "<!-- Written by `make case-study` from docs/case_study/template.md and results.json: change these instead. -->\n\n"
)


def text(results: dict[str, Any]) -> str:
    """The whole document in Markdown."""
    template = (FOLDER / "template.md").read_text(encoding="utf-8")
    runs, usual, outcomes = results["runs"], results["usual"], results["outcomes"]
    shown = next(name for name, one in usual.items() if one["curves"])
    filled = results | {
        "shown": {"ticker": shown} | usual[shown],
        "settings": _settings(),
        "usual_table": usual_table(usual),
        "network_table": network_table(runs),
        "step_table": step_table(runs),
        "seeds": len(runs["gru"]),
        "significant": SIGNIFICANT,
        "test": runs["gru"][0],
        "range": outcomes["gru"],
        "har_range": outcomes["har"],
        "direction": outcomes["free"],
        "contrast": {name: contrast(outcomes["gru"][f"range_{name}"]) for name in ("predicted", "actual")},
        "together": pooled(usual),
        "free_gains": ", ".join(f"{-one['close_gain']:.2%}" for one in runs["free"]),
        "waves": results["waves"] | {"quarter": results["waves"]["ranges"][-1]},
    }
    return NOTE + wrapped(template.format(**filled | _margins(runs)))


def _margins(runs: dict[str, Any]) -> dict[str, Any]:
    """How much better the networks are than formulas, and than the one without memory."""
    formulas = ("ewma-garman-klass", "har", "harx")
    return {
        "formula": {name: "{skill:+.2%}, p = {p:.2g}".format(**runs[name][0]) for name in formulas},
        "worst_p": f"{max(one['p'] for name in NETWORKS for one in runs[name]):.2g}",
        "cells_over": {other: margins([runs[cell] for cell in CELLS], other) for other in ("har", "harx", "dnn")},
        "dnn_over": {other: margins([runs["dnn"]], other) for other in ("har", "harx")},
    }


def wrapped(markdown: str, width: int = 120) -> str:
    """Paragraphs in even lines, now that their numbers stand in them; code, tables and the like as they are."""
    parts = re.split(r"(```.*?```)", markdown, flags=re.DOTALL)
    for place in range(0, len(parts), 2):
        paragraphs = parts[place].split("\n\n")
        parts[place] = "\n\n".join(
            one if not one.strip() or one.lstrip()[0] in "|#!-" else _filled(one, width) for one in paragraphs
        )
    return "".join(parts)


def _filled(paragraph: str, width: int) -> str:
    """A paragraph, filled again, with the line ends that stood around it."""
    before, after = (len(paragraph) - len(strip("\n")) for strip in (paragraph.lstrip, paragraph.rstrip))
    lines = textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
    return "\n" * before + lines.strip() + "\n" * after


def _settings() -> dict[str, Any]:
    """The constants of `usual.py`, read from its source: writing the text does not need torch."""
    lines = (FOLDER / "usual.py").read_text(encoding="utf-8").splitlines()
    names, values = next(line for line in lines if line.startswith("CONTEXT,")).split(" = ")
    return dict(zip(names.split(", "), map(float, values.split(", ")), strict=True))
