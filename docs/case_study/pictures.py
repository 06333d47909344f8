"""The case study's pictures: SVG files in the colours of the pages, which all eyes tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from claims import NETWORKS
from languages import Say
from markupsafe import Markup
from tables import SHAPES

from forecaster.show.plot import Axis, Box, Look, Plot, legend, picture
from forecaster.show.scale import Scale
from forecaster.show.svg import candle, element

PLACED = ("harx", "har", "ewma-garman-klass")
"""Formulas with a place beside the networks; climatology would lie far off."""

CLOSE, FORECAST = Look("ink", width=1.4), Look("other", width=1.4)
YESTERDAY = Look("accent", dash="2 3")
NETWORK, FORMULA = Look("accent", mark="circle", opacity=0.6), Look("other", mark="circle", opacity=0.6)
PREDICTED, ACTUAL = Look("accent"), Look("other")
WIDE, HIGH = 640.0, 340.0
"""Narrow enough to be read on a phone."""


def draw_all(results: dict[str, Any], folder: Path, say: Say) -> None:
    """One file a picture, in one language."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, tuple[Callable[[dict[str, Any], Say], Iterator[Markup]], float, float]] = {
        "candles": (_candles, WIDE, HIGH),
        "echo": (_echo, WIDE, 2 * HIGH + 50),
        "waves": (_waves, WIDE, HIGH),
        "networks": (_networks, WIDE, 380.0),
        "fan": (_fan, WIDE, 380.0),
        "shapes": (_shapes, WIDE, 380.0),
        "range": (_range, WIDE, HIGH),
    }
    for name, (draw, width, height) in drawings.items():
        (folder / f"{name}.svg").write_text(picture(width, height, list(draw(results, say))), encoding="utf-8")


def _candles(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    shown = results["tensor"]["shown"]
    low, high = min(min(one) for one in shown), max(max(one) for one in shown)
    ticker = results["tensor"]["example"]["ticker"]
    title = say("{ticker}, the last {count} candles (hollow: it rose)").format(ticker=ticker, count=len(shown))
    across, up = Axis.of([-1, len(shown)], say("session")), Axis.of([low, high], say("price"))
    plot = Plot(title, across, up, Box(0, 0, WIDE, HIGH))
    yield from plot.frame()
    prices = Scale((low, high), (plot.y(low), plot.y(high)))
    for day, one in enumerate(shown):
        body = candle(plot.x(day), one, prices, 0.6 * (plot.x(1) - plot.x(0)))
        fill = "page" if one[3] >= one[0] else "ink"
        yield element("path", d=body, style=f"fill: var(--{fill}); stroke: var(--ink)")


def _echo(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    ticker, curves = next((name, one["curves"]) for name, one in results["usual"].items() if one["curves"])
    close, forecast = np.array(curves["close"]), np.array(curves["forecast"])
    near = len(close) - 40
    for row, (first, title) in enumerate(((0, "all test days"), (near, "the last forty, close up"))):
        days = np.arange(first, len(close))
        prices = Axis.of([*close[first:], *forecast[first:]], say("price"))
        across = Axis.of(days.tolist(), say("test day"))
        plot = Plot(f"{ticker}: {say(title)}", across, prices, Box(0, HIGH * row, WIDE, HIGH))
        yield from plot.frame()
        yield from plot.line(days, close[first:], CLOSE)
        yield from plot.line(days, forecast[first:], FORECAST)
    yield from plot.line(days, close[first - 1 : -1], YESTERDAY)
    entries = [("close", CLOSE), ("forecast of the usual way", FORECAST), ("yesterday's close", YESTERDAY)]
    yield from legend(_said(entries, say), 40, 2 * HIGH + 4, WIDE - 60)


def _waves(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    waves = results["waves"]
    lags = np.arange(1, waves["lags"] + 1)
    title = say("How much a day says about the day so many sessions later")
    up = Axis.of([0.0, *waves["ranges"], *waves["returns"]], say("correlation"))
    plot = Plot(title, Axis.of(lags.tolist(), say("sessions later")), up, Box(0, 0, WIDE, HIGH - 30))
    yield from plot.frame()
    yield plot.rule(Look("muted", dash="2 3", width=1), y=0.0)
    yield from plot.line(lags, waves["ranges"], PREDICTED)
    yield from plot.line(lags, waves["returns"], ACTUAL)
    entries = [("range of the day, log(high / low)", PREDICTED), ("return of the day", ACTUAL)]
    yield from legend(_said(entries, say), 40, HIGH - 26, WIDE - 60)


def _networks(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    runs, names = results["runs"], NETWORKS + PLACED
    skills = {name: [100 * one["skill"] for one in runs[name]] for name in names}
    ticks = [(place, name.upper() if name in NETWORKS else name) for place, name in enumerate(names)]
    across = Axis.of([0.0, *(skill for own in skills.values() for skill in own)], say("skill [%]"))
    title = say("Networks (a point a seed, the bar their mean) and formulas; dotted: HAR")
    plot = Plot(title, across, Axis(-0.6, len(names) - 0.4, "", ticks), Box(0, 0, WIDE, 380))
    yield from plot.frame()
    yield plot.rule(Look("muted"), x=0.0)
    yield plot.note(say("the random walk"), 0.0, -0.45)
    yield plot.rule(Look("other", dash="2 3", width=1), x=skills["har"][0])
    for place, own in enumerate(skills.values()):
        look = NETWORK if names[place] in NETWORKS else FORMULA
        yield from plot.marks(own, [place] * len(own), look)
        mean = float(np.mean(own))
        yield from plot.line([mean, mean], [place - 0.25, place + 0.25], CLOSE)


def _shapes(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    """Margins over HAR of every shape's config; a point a seed."""
    shapes = results["shapes"]
    margins = {name: [100 * one["over"]["har"]["skill"] for one in shapes[name]] for name in reversed(SHAPES)}
    across = Axis.of([0.0, *(margin for own in margins.values() for margin in own)], say("over HAR [%]"))
    title = say("Shapes: a point a seed, the bar their mean")
    plot = Plot(title, across, Axis(-0.6, len(margins) - 0.4, "", list(enumerate(margins))), Box(0, 0, WIDE, 380))
    yield from plot.frame()
    yield plot.rule(Look("other", dash="2 3", width=1), x=0.0)
    yield plot.note("HAR", 0.0, -0.45)
    for place, own in enumerate(margins.values()):
        yield from plot.marks(own, [place] * len(own), NETWORK)
        mean = float(np.mean(own))
        yield from plot.line([mean, mean], [place - 0.25, place + 0.25], CLOSE)


def _fan(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    fan = results["fan"]
    close = np.array(fan["close"])
    ahead, past = np.arange(len(close) + 1), np.arange(-len(fan["before"]) + 1, 1)
    paths = np.concatenate([np.full((1, close.shape[1]), fan["before"][-1]), close])
    title = say("{ticker}, seen from the evening of {origin}").format(ticker=fan["ticker"], origin=fan["origin"])
    across = Axis.of([int(past[0]), int(ahead[-1])], say("sessions from that evening"))
    up = Axis.of([*paths.ravel(), *fan["before"], *fan["after"]], say("close"))
    plot = Plot(title, across, up, Box(0, 0, WIDE, 350))
    yield from plot.frame()
    shades = {(0.05, 0.95): 0.18, (0.1, 0.9): 0.25, (0.25, 0.75): 0.4}
    for (low, high), shade in shades.items():
        lower, upper = (paths[:, fan["levels"].index(level)].tolist() for level in (low, high))
        yield plot.area(ahead.tolist(), lower, upper, Look("band", opacity=shade))
    yield from plot.line(ahead, paths[:, fan["levels"].index(0.5)], PREDICTED)
    yield from plot.line(past, fan["before"], CLOSE)
    after = Look("other", mark="circle", width=0)
    yield from plot.marks(ahead[1:], fan["after"], after)
    entries = [("close", CLOSE), ("median, in its 50%, 80% and 90% bands", PREDICTED), ("actual close", after)]
    yield from legend(_said(entries, say), 40, 356, WIDE - 60)


def _range(results: dict[str, Any], say: Say) -> Iterator[Markup]:
    own = results["outcomes"]["gru"]
    bars = [(PREDICTED, own["range_predicted"], -0.4), (ACTUAL, own["range_actual"], 0.02)]
    names = list(map(say, ("calmest fifth", "second", "third", "fourth", "widest fifth")))
    top = 100 * max(*own["range_predicted"], *own["range_actual"])
    across = Axis(-0.6, len(names) - 0.4, "", list(enumerate(names)))
    up = Axis.of([0.0, top], say("high over low [%]"))
    plot = Plot(say("Test days, by the range that was predicted for them"), across, up, Box(0, 0, WIDE, HIGH - 30))
    yield from plot.frame()
    for look, values, left in bars:
        for place, value in enumerate(values):
            yield plot.area([place + left, place + left + 0.38], [0.0, 0.0], [100 * value] * 2, look)
    entries = [("predicted (median candle)", PREDICTED), ("actual", ACTUAL)]
    yield from legend(_said(entries, say), 40, HIGH - 26, WIDE - 60, filled=True)


def _said(entries: list[tuple[str, Look]], say: Say) -> list[tuple[str, Look]]:
    return [(say(text), look) for text, look in entries]
