"""The case study's text: the template, filled from the recorded results."""

from __future__ import annotations

import math
import re
import textwrap
from pathlib import Path
from typing import Any

from claims import BEATING, CELLS, NETWORKS, SIGNIFICANT, contrast, p_values, pooled
from languages import Language, Say
from tables import change_table, grown_table, margins, network_table, shape_table, step_table, usual_table

FOLDER = Path(__file__).resolve().parent
NOTE = (
    "<!-- Written by `make case-study` from docs/case_study/{template} and results.json: change these instead. -->\n\n"
)


def text(results: dict[str, Any], language: Language) -> str:
    """The whole document in Markdown."""
    template, say = (FOLDER / language.template).read_text(encoding="utf-8"), language.say
    runs, usual, outcomes = results["runs"], results["usual"], results["outcomes"]
    shown = next(name for name, one in usual.items() if one["curves"])
    filled = results | {
        "shown": {"ticker": shown} | usual[shown],
        "settings": _settings(),
        **_grown(results["grown"]),
        "usual_table": usual_table(usual, say),
        "network_table": network_table(runs, say),
        "step_table": step_table(runs, say),
        "shape_table": shape_table(results["shapes"], say),
        "grown_table": grown_table(results["grown"], say),
        "change_table": change_table(results["experiments"], say),
        "shape_p": f"{max(p_values(results['shapes'], BEATING)):.2g}",
        "minute": _minute(results["experiments"]),
        "seeds": len(runs["gru"]),
        "significant": SIGNIFICANT,
        "test": runs["gru"][0],
        "range": outcomes["gru"],
        "har_range": outcomes["har"],
        "direction": outcomes["free"],
        "contrast": {name: contrast(outcomes["gru"][f"range_{name}"]) for name in ("predicted", "actual")},
        "together": pooled(usual),
        "free_gains": say(", ").join(f"{-one['close_gain']:.2%}" for one in runs["free"]),
        "waves": results["waves"] | {"quarter": results["waves"]["ranges"][-1]},
    }
    page = template.format(**filled | _margins(runs, say))
    return NOTE.format(template=language.template) + (wrapped(page) if language.spaced else page)


def _grown(grown: dict[str, Any]) -> dict[str, Any]:
    """How many paths grew from how many origins, and how far."""
    names = ("STEPS", "PATHS", "EVERY")
    line = next(
        line for line in (FOLDER / "shapes.py").read_text(encoding="utf-8").splitlines() if line.startswith("STEPS,")
    )
    sizes = dict(zip(names, map(int, line.split(" = ")[1].split(", ")), strict=True))
    first = grown["1"][0]
    return {
        "grown_paths": sizes["PATHS"],
        "grown_days": sizes["STEPS"],
        "grown_origins": first["origins"],
        "grown_har": first["formulas_held"]["har"],
    }


def _minute(experiments: dict[str, Any]) -> int:
    """Seconds of one core that the longest experiment took, in tens."""
    return 10 * math.ceil(max(one["seconds"] for seeds in experiments.values() for one in seeds) / 10)


def _margins(runs: dict[str, Any], say: Say) -> dict[str, Any]:
    """How much better the networks are than formulas, and than the one without memory."""
    formulas = ("ewma-garman-klass", "har", "harx")
    return {
        "formula": {name: say("{skill:+.2%}, p = {p:.2g}").format(**runs[name][0]) for name in formulas},
        "worst_p": f"{max(one['p'] for name in NETWORKS for one in runs[name]):.2g}",
        "cells_over": {other: margins([runs[cell] for cell in CELLS], other, say) for other in ("har", "harx", "dnn")},
        "dnn_over": {other: margins([runs["dnn"]], other, say) for other in ("har", "harx")},
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
