"""One ticker's forecast as an SVG chart: the last months as candles, then bands, paths and median candles."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from forecaster.inference.forecast import Forecast
from forecaster.show.chartframe import LETTER, Frame, axes, days, figures
from forecaster.show.fan import MARKS, MOST, PATHS, Fan, fan_of
from forecaster.show.svg import band, candle, element, line

STYLE = """
.chart { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.chart .chart { overflow: visible; }
.chart text { fill: var(--ink); font-variant-numeric: tabular-nums; }
.chart .muted { fill: var(--muted); paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
.chart .title { font-size: 16px; font-weight: 600; }
.chart .sheet { fill: var(--page); }
.chart .grid { stroke: var(--grid); fill: none; }
.chart .origin { stroke: var(--muted); stroke-dasharray: 2 3; }
.chart .band { fill: var(--band); fill-opacity: 0.2; }
.chart .median { stroke: var(--accent); stroke-width: 1.5; fill: none; }
.chart .reach { stroke: var(--accent); stroke-dasharray: 5 3; fill: none; }
.chart .path { stroke: var(--ink); stroke-opacity: 0.3; stroke-width: 0.7; fill: none; }
.chart .candle { stroke: var(--rose); fill: var(--page); }
.chart .fell { stroke: var(--fell); fill: var(--fell); }
.chart .ahead { stroke: var(--accent); }
.chart .ahead.fell { stroke: var(--accent); fill: var(--accent); }
.chart .value { fill: var(--accent); font-weight: 600; }
.chart .slot { fill: transparent; }
.chart .slot:hover { fill: var(--muted); fill-opacity: 0.14; }
"""
NARROW, WIDE = 360, 820
_NARROW = 600
"""A chart below this width is for a phone."""

HEIGHT = {False: 420, True: 300}
"""Height of a chart, by whether it is narrow."""

FEW = 30
"""Paths in a small chart, of which a page has many."""

_ROW = 17
"""Pixels of a line of the legend."""


def chart(forecast: Forecast, width: int, identity: str = "", titled: bool = True, legended: bool = True) -> Markup:
    """One chart as an `<svg>` element that a page styles with `STYLE`.

    Args:
        width: of the view box, which sets its height; a narrow chart shows fewer candles, so that text stays large.
        identity: makes ids unique on a page; without it screen readers get no name of the chart.
        titled: whether ticker and last close are drawn.
        legended: whether the marks are explained and sessions have tooltips; small charts in a grid have neither.
    """
    narrow = width < _NARROW
    fan = fan_of(forecast, 30 if narrow else MOST, PATHS if legended else FEW)
    height = HEIGHT[narrow]
    explained, head = legend(fan, width, 30.0 * titled) if legended else ([], 30.0 * titled)
    frame = Frame.of(fan, width, height, head + 18)
    names = (
        [element("title", fan.title, id=f"{identity}-t"), element("desc", fan.answer(), id=f"{identity}-d")]
        if identity
        else []
    )
    return element(
        "svg",
        *names,
        *(_title(fan, width) if titled else ()),
        *explained,
        *axes(frame),
        *_ahead(frame),
        *_past(frame),
        *days(frame),
        *figures(frame),
        *(_slots(frame) if legended else ()),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        class_="chart",
        role="img" if identity else None,
        aria_labelledby=f"{identity}-t {identity}-d" if identity else None,
    )


def _title(fan: Fan, width: int) -> Iterator[Markup]:
    size = 14 if width < _NARROW else 16
    title = fan.title_within(int((width - 24) / (0.65 * size)))
    yield element("text", title, class_="title", x=12, y=22, style=f"font-size: {size}px")


def legend(fan: Fan, width: int, top: float) -> tuple[list[Markup], float]:
    """What the marks mean, wrapped to as many lines as needed, and the y where they end."""
    x, y, parts = 12.0, top + 12, list[Markup]()
    for sample, words in meanings(fan):
        ends = x + 18 + 1.12 * LETTER * len(words)
        if ends > width - 4 and x > 12:
            x, y, ends = 12.0, y + _ROW, 12 + ends - x
        text = element("text", words, class_="muted", x=18, y=10)
        parts.append(element("g", *sample, text, transform=f"translate({x:.1f} {y - 10:.1f})"))
        x = ends + 14
    return parts, y + 5


def meanings(fan: Fan) -> Iterator[tuple[list[Markup], str]]:
    """Samples of 14 by 10 pixels with their words; an inner band overlays the outer ones and is darker."""
    for kind, words in zip(("candle", "candle fell", "candle ahead"), MARKS, strict=True):
        yield [element("path", class_=kind, d="M7 0L7 2.5M7 9.5L7 12M4 2.5L10 2.5L10 9.5L4 9.5Z")], words
    for place, words in enumerate(fan.band_words):
        layers = [element("rect", class_="band", y=1, width=14, height=10) for _ in range(place + 1)]
        yield layers, words
    if fan.reach:
        stroke = element("path", class_="reach", d="M0 6H14")
        yield [stroke], fan.reach_words
    if fan.paths:
        yield [element("path", class_="path", d="M0 9L5 4L9 7L14 2")], fan.paths_words


def _ahead(frame: Frame) -> Iterator[Markup]:
    """Bands, reach, paths, median; bands end half a session after the last step, to hold its whole candle."""
    fan, end = frame.fan, frame.x(frame.fan.last + 0.5)
    xs = [*(frame.x(x) for x in fan.xs), end]

    def ys(prices: list[float]) -> list[float]:
        return [frame.y(price) for price in (*prices, prices[-1])]

    for one in fan.bands:
        yield element("path", class_="band", d=band(xs, ys(one.lower), ys(one.upper)))
    if fan.reach:
        yield element("path", class_="reach", d=line(xs, ys(fan.reach.lower)) + line(xs, ys(fan.reach.upper)))
    if fan.paths:
        sessions = [frame.x(session) for session in range(len(fan.paths[0]))]
        yield element("path", class_="path", d="".join(line(sessions, map(frame.y, one)) for one in fan.paths))
    yield element("path", class_="median", d=line(xs, ys(fan.median)))
    for step, prices in zip(fan.forecast.steps, fan.forecast.point.tolist(), strict=True):
        yield _candle(frame, step, prices, " ahead")


def _past(frame: Frame) -> Iterator[Markup]:
    for session, prices in enumerate(frame.fan.candles.tolist(), frame.fan.first):
        yield _candle(frame, session, prices, "")


def _candle(frame: Frame, session: int, prices: list[float], more: str) -> Markup:
    fell = " fell" if prices[3] < prices[0] else ""
    body = candle(frame.x(session), prices, frame.y, frame.body(session))
    return element("path", class_=f"candle{more}{fell}", d=body)


def _slots(frame: Frame) -> Iterator[Markup]:
    """An invisible column over every session, with its figures as a tooltip."""
    fan, forecast = frame.fan, frame.fan.forecast
    dates = forecast.history.dates[-fan.past :]
    for place, (date, prices) in enumerate(zip(dates, fan.candles.tolist(), strict=True)):
        yield _slot(frame, fan.first + place, f"{date}\n{_words(fan, prices)}")
    for place, step in enumerate(forecast.steps):
        shares = [
            f"{one.words}: {fan.reach_text(one, place + 1)}{fan.held_text(one, step)}" for one in reversed(fan.bands)
        ]
        lines = [f"{forecast.dates[place]}, median", _words(fan, forecast.point[place].tolist()), *shares]
        yield _slot(frame, step, "\n".join(lines))


def _slot(frame: Frame, session: int, words: str) -> Markup:
    return element(
        "rect",
        element("title", words),
        class_="slot",
        x=frame.x(session - 0.5),
        y=frame.top,
        width=frame.slot(session),
        height=frame.bottom - frame.top,
    )


def _words(fan: Fan, prices: list[float]) -> str:
    names = ("open", "high", "low", "close")
    return ", ".join(f"{name} {fan.price(price)}" for name, price in zip(names, prices, strict=True))
