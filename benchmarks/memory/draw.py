"""The picture of the memory benchmark."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

# Okabe & Ito's colours, told apart by all eyes. A cell has one colour; opened gates are filled marks and a whole line.
COLOURS = {"RNN": "#D55E00", "GRU": "#0072B2", "LSTM": "#009E73"}
SETTINGS = {"svg.hashsalt": "memory", "svg.fonttype": "none", "font.size": 11, "font.family": "sans-serif"}


def draw(results: dict[str, Any], target: Path) -> None:
    """Training steps until it recalls over the delay, and the gradient over the steps back."""
    with mpl.rc_context(SETTINGS | {"axes.spines.top": False, "axes.spines.right": False}):
        figure, (recall, gradient) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
        _recall(recall, results)
        _gradient(gradient, results)
        handles, labels = gradient.get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=3, handlelength=3.5)
        figure.savefig(target, metadata={"Date": None})
        plt.close(figure)


def _style(label: str) -> dict[str, Any]:
    colour, opened = COLOURS[label.split(",")[0]], label.endswith("opened")
    return {
        "color": colour,
        "linestyle": "-" if opened else "--",
        "linewidth": 2,
        "marker": {"RNN": "o", "GRU": "s", "LSTM": "^"}[label.split(",")[0]],
        "markersize": 8,
        "markerfacecolor": colour if opened else "#ffffff",
        "markeredgewidth": 1.5,
    }


def _recall(axes: Any, results: dict[str, Any]) -> None:
    delays, most, never = results["delays"], results["most_steps"], 2 * results["most_steps"]
    for label, own in results["recalled"].items():
        tried = [delay for delay in delays if str(delay) in own]
        needed = [_median([run["steps"] or never for run in own[str(delay)]], most, never) for delay in tried]
        axes.plot(tried, needed, **_style(label))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(delays, [str(delay) for delay in delays])
    axes.set_yticks([20, 100, 500, most, never], ["20", "100", "500", f"{most:,}", "not\nrecalled"])
    axes.minorticks_off()
    axes.set(xlabel="steps between the symbol and the question", ylabel="training steps, median of all seeds")
    axes.set_title("How long each cell trains until it recalls", fontsize=11, loc="left")


def _median(steps: list[int], most: int, never: int) -> float:
    """`never` where most seeds do not recall: no number lies between a success and a failure."""
    middle = statistics.median(steps)
    return middle if middle <= most else never


def _gradient(axes: Any, results: dict[str, Any]) -> None:
    for label in results["recalled"]:
        name = label if label == "RNN" or label.endswith("opened") else f"{label}, torch's default gates"
        axes.plot(results["gradient"]["trained"][label], label=name, **_style(label), markevery=50)
    axes.plot(results["gradient"]["start"]["RNN"], color="#000000", linewidth=1, linestyle=":", label="RNN, untrained")
    axes.set_yscale("log")
    axes.set(xlabel="steps back, k", ylim=(1e-12, 3), ylabel="gradient, relative to its largest")
    axes.set_title(
        f"Gradient of the output with respect to the input\nk steps ago, trained at {results['trained_at']} steps",
        fontsize=11,
        loc="left",
    )
