"""The case study's pictures: SVG on white, in colours that all eyes tell apart (Okabe & Ito)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from claims import NETWORKS
from matplotlib import pyplot as plt

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#777777"
PLACED = ("harx", "har", "ewma-garman-klass")
"""Formulas with a place beside the networks; climatology would lie far off."""

STYLE = {
    "svg.hashsalt": "case-study",
    "font.size": 11,
    "svg.fonttype": "path",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw_all(results: dict[str, Any], folder: Path) -> None:
    """One file a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, tuple[Callable[[Any, dict[str, Any]], None], int, tuple[float, float]]] = {
        "candles": (_candles, 1, (9, 3.4)),
        "echo": (_echo, 2, (11, 4.2)),
        "waves": (_waves, 1, (9, 3.4)),
        "networks": (_networks, 1, (9, 3.8)),
        "fan": (_fan, 1, (9, 3.8)),
        "range": (_range, 1, (9, 3.4)),
    }
    with mpl.rc_context(STYLE):
        for name, (draw, columns, size) in drawings.items():
            figure, axes = plt.subplots(1, columns, figsize=size, layout="constrained")
            draw(axes, results)
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


def _candles(axes: Any, results: dict[str, Any]) -> None:
    for day, (opened, high, low, close) in enumerate(results["tensor"]["shown"]):
        colour = BLUE if close >= opened else ORANGE
        axes.plot([day, day], [low, high], color=colour, linewidth=1.2)
        axes.bar(day, max(abs(close - opened), 0.02), bottom=min(opened, close), width=0.6, color=colour)
    example = results["tensor"]["example"]
    axes.set_title(f"{example['ticker']}, the last {len(results['tensor']['shown'])} candles (blue: it closed higher)")
    axes.set(xlabel="session", ylabel="price")


def _echo(axes: Any, results: dict[str, Any]) -> None:
    ticker, curves = next((name, one["curves"]) for name, one in results["usual"].items() if one["curves"])
    close, forecast = np.array(curves["close"]), np.array(curves["forecast"])
    for panel, first, title in ((axes[0], 0, "all test days"), (axes[1], len(close) - 40, "the last forty, close up")):
        days = np.arange(first, len(close))
        panel.plot(days, close[first:], color="#000000", linewidth=1.4, label="close")
        panel.plot(days, forecast[first:], color=ORANGE, linewidth=1.4, label="forecast of the usual way")
        panel.set(title=f"{ticker}: {title}", xlabel="test day", ylabel="price")
    axes[1].plot(days, close[first - 1 : -1], color=BLUE, linestyle=":", linewidth=2, label="yesterday's close")
    axes[1].legend(fontsize=9)


def _waves(axes: Any, results: dict[str, Any]) -> None:
    lags = np.arange(1, results["waves"]["lags"] + 1)
    axes.plot(lags, results["waves"]["ranges"], color=BLUE, linewidth=2, label="range of the day, log(high / low)")
    axes.plot(lags, results["waves"]["returns"], color=ORANGE, linewidth=2, label="return of the day")
    axes.axhline(0, color=GREY, linewidth=1, linestyle=":")
    axes.set(title="How much a day says about the day so many sessions later", xlabel="sessions later")
    axes.set_ylabel("correlation")
    axes.legend()


def _networks(axes: Any, results: dict[str, Any]) -> None:
    runs = results["runs"]
    for place, name in enumerate(NETWORKS + PLACED):
        skills = [100 * one["skill"] for one in runs[name]]
        colour = BLUE if name in NETWORKS else GREEN
        axes.plot(skills, [place] * len(skills), "o", color=colour, markersize=9, alpha=0.6)
        axes.plot(np.mean(skills), place, "|", color="#000000", markersize=18, markeredgewidth=2)
    axes.axvline(0, color=ORANGE, linewidth=2)
    top = len(NETWORKS + PLACED) - 0.5
    axes.annotate("the random walk", (0, top), xytext=(4, -4), textcoords="offset points", color=ORANGE)
    axes.axvline(100 * runs["har"][0]["skill"], color=GREEN, linewidth=1, linestyle=":")
    axes.set_yticks(
        range(len(NETWORKS + PLACED)), [name.upper() if name in NETWORKS else name for name in NETWORKS + PLACED]
    )
    axes.set(ylim=(-0.6, top + 0.3), xlabel="skill [%]")
    axes.set_title("Networks (blue: a point a seed, the bar their mean) and formulas (green; dotted: HAR)")


def _fan(axes: Any, results: dict[str, Any]) -> None:
    fan = results["fan"]
    close = np.array(fan["close"])
    ahead, past = np.arange(len(close) + 1), np.arange(-len(fan["before"]) + 1, 1)
    start = np.full((1, close.shape[1]), fan["before"][-1])
    paths = np.concatenate([start, close])
    for low, high, shade in ((0.05, 0.95, 0.18), (0.1, 0.9, 0.25), (0.25, 0.75, 0.4)):
        band = [paths[:, fan["levels"].index(level)] for level in (low, high)]
        axes.fill_between(ahead, *band, color=BLUE, alpha=shade, linewidth=0, label=f"{high - low:.0%} band")
    axes.plot(ahead, paths[:, fan["levels"].index(0.5)], color=BLUE, linewidth=2, label="median")
    axes.plot(past, fan["before"], color="#000000", linewidth=1.4, label="close")
    axes.plot(ahead[1:], fan["after"], "o", color=ORANGE, label="actual close")
    axes.set(title=f"{fan['ticker']}, seen from the evening of {fan['origin']}", xlabel="sessions from that evening")
    axes.set_ylabel("close")
    axes.legend(loc="upper left", fontsize=9)


def _range(axes: Any, results: dict[str, Any]) -> None:
    own = results["outcomes"]["gru"]
    places = np.arange(len(own["range_actual"]))
    axes.bar(
        places - 0.2,
        [100 * value for value in own["range_predicted"]],
        0.38,
        color=BLUE,
        label="predicted (median candle)",
    )
    axes.bar(places + 0.2, [100 * value for value in own["range_actual"]], 0.38, color=GREEN, label="actual")
    axes.set_xticks(places, ["calmest fifth", "second", "third", "fourth", "widest fifth"])
    axes.set(ylabel="high over low [%]", title="Test days, by the range that was predicted for them")
    axes.legend()
