"""The picture of the memory benchmark."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture

# A cell has one colour and one mark; opened gates are filled marks and a solid line.
COLOURS = {"RNN": "other", "GRU": "accent", "LSTM": "fourth"}
MARKS = {"RNN": "circle", "GRU": "square", "LSTM": "triangle"}
UNTRAINED = Look("muted", dash="1 3", width=1.5)
WIDTH, HEIGHT, LEGEND = 1100.0, 430.0, 60.0


def draw(results: dict[str, Any], target: Path) -> None:
    """Training steps until it recalls over the delay, and the gradient over the steps back."""
    names = [(_name(label), _look(label)) for label in results["recalled"]]
    entries = [*names, ("RNN, untrained", UNTRAINED)]
    parts = [*_recall(results), *_gradient(results), *legend(entries, 20, HEIGHT + 8, WIDTH - 40)]
    target.write_text(picture(WIDTH, HEIGHT + LEGEND, parts), encoding="utf-8")


def _name(label: str) -> str:
    return label if label == "RNN" or label.endswith("opened") else f"{label}, torch's default gates"


def _look(label: str) -> Look:
    cell, opened = label.split(",")[0], label.endswith("opened")
    return Look(COLOURS[cell], dash=None if opened else "6 4", mark=MARKS[cell], hollow=not opened)


def _recall(results: dict[str, Any]) -> Iterator[Markup]:
    delays, most, never = results["delays"], results["most_steps"], 2 * results["most_steps"]
    across = Axis(
        0.8 * delays[0], 1.2 * delays[-1], "steps between the symbol and the question", _texts(delays), log=True
    )
    ticks = [*_texts([20, 100, 500, most]), (never, "never")]
    up = Axis(10, 1.3 * never, "training steps, median of all seeds", ticks, log=True)
    plot = Plot("How long each cell trains until it recalls", across, up, Box(0, 0, WIDTH / 2, HEIGHT))
    yield from plot.frame()
    for label, own in results["recalled"].items():
        tried = [delay for delay in delays if str(delay) in own]
        needed = [_median([run["steps"] or never for run in own[str(delay)]], most, never) for delay in tried]
        yield from plot.line(tried, needed, _look(label))


def _texts(values: list[int]) -> list[tuple[float, str]]:
    return [(value, f"{value:,}") for value in values]


def _median(steps: list[int], most: int, never: int) -> float:
    """`never` where most seeds do not recall: no number lies between a success and a failure."""
    middle = statistics.median(steps)
    return middle if middle <= most else never


def _gradient(results: dict[str, Any]) -> Iterator[Markup]:
    title = f"Gradient of the output with respect to the input k steps ago, trained at {results['trained_at']} steps"
    trained, last = results["gradient"]["trained"], results["delays"][-1]
    across = Axis.of([0, last], "steps back, k")
    up = Axis(
        FAINTEST,
        3,
        "gradient, relative to its largest",
        [(10.0**power, f"1e{power}") for power in (-12, -9, -6, -3, 0)],
        log=True,
    )
    plot = Plot(title, across, up, Box(WIDTH / 2, 0, WIDTH / 2, HEIGHT))
    yield from plot.frame()
    for label in results["recalled"]:
        yield from _curve(plot, trained[label], _look(label))
    yield from _curve(plot, results["gradient"]["start"]["RNN"], UNTRAINED)


FAINTEST = 1e-12
"""Gradients below this are not drawn."""


def _curve(plot: Plot, gradient: list[float], look: Look) -> Iterator[Markup]:
    """As far as it can be seen."""
    faint = next((place for place, value in enumerate(gradient) if value < FAINTEST), len(gradient))
    return plot.line(range(faint), gradient[:faint], look, every=50)
