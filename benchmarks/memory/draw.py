"""The picture of the memory benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

# Okabe & Ito's colours, told apart by all eyes; a cell has one colour, opened gates a line without a break.
COLOURS = {"RNN": "#D55E00", "GRU": "#0072B2", "LSTM": "#009E73"}
SETTINGS = {"svg.hashsalt": "memory", "svg.fonttype": "none", "font.size": 11, "font.family": "sans-serif"}


def draw(results: dict[str, Any], target: Path) -> None:
    """Recall over the delay, and the gradient over the steps back."""
    with mpl.rc_context(SETTINGS | {"axes.spines.top": False, "axes.spines.right": False}):
        figure, (recall, gradient) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
        _recall(recall, results)
        _gradient(gradient, results)
        figure.savefig(target, metadata={"Date": None})
        plt.close(figure)


def _style(label: str) -> dict[str, Any]:
    opened = label.endswith("opened")
    return {
        "color": COLOURS[label.split(",")[0]],
        "linestyle": "-" if opened or label == "RNN" else "--",
        "linewidth": 2,
    }


def _recall(axes: Any, results: dict[str, Any]) -> None:
    for label, found in results["recalled"].items():
        delays = [delay for delay in results["delays"] if str(delay) in found]
        shares = [found[str(delay)] for delay in delays]
        axes.plot(delays, [100 * sum(own) / len(own) for own in shares], marker="o", label=label, **_style(label))
        low, high = ([100 * pick(own) for own in shares] for pick in (min, max))
        axes.fill_between(delays, low, high, color=_style(label)["color"], alpha=0.12, linewidth=0)
    delays = results["delays"]
    axes.axhline(50, color="#777777", linewidth=1, linestyle=":")
    axes.annotate("chance", (delays[0], 50), xytext=(0, -13), textcoords="offset points", color="#555555")
    axes.set_xscale("log")
    axes.set_xticks(delays, [str(delay) for delay in delays])
    axes.minorticks_off()
    axes.set(xlabel="steps between the symbol and the question", ylabel="recalled [%]", ylim=(44, 102))
    axes.set_title("What is recalled (mean of the seeds; shade: from worst to best)", fontsize=11, loc="left")
    axes.legend(frameon=False, loc="center right", fontsize=9)


def _gradient(axes: Any, results: dict[str, Any]) -> None:
    for label in results["recalled"]:
        axes.plot(results["gradient"]["trained"][label], label=label, **_style(label))
    axes.plot(results["gradient"]["start"]["RNN"], color="#000000", linewidth=1, linestyle=":", label="RNN, untrained")
    axes.set_yscale("log")
    axes.set(xlabel="steps back, k", ylim=(1e-12, 3), ylabel="gradient, relative to its largest")
    axes.set_title(
        f"Gradient of the output to the input k steps ago,\ntrained at {results['trained_at']} steps",
        fontsize=11,
        loc="left",
    )
    axes.legend(frameon=False, loc="lower right", fontsize=9)
