"""A forecast as SVG: the last months as candles, the bands of what may come, and nothing that needs a script."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forecaster.inference.forecast import Forecast
from forecaster.show.fan import LEGEND, RANGE, Fan, fan_of
from forecaster.show.notes import notes
from forecaster.show.svg import THEME, Markup, Scale, band, candle, element, joined, line, tick_texts

STYLE = """
.chart { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.chart text { fill: var(--ink); font-variant-numeric: tabular-nums; }
.chart .muted { fill: var(--muted); paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
.chart .title { font-size: 16px; font-weight: 600; }
.chart .sheet { fill: var(--page); }
.chart .grid { stroke: var(--grid); fill: none; }
.chart .origin { stroke: var(--muted); stroke-dasharray: 2 3; }
.chart .band { fill: var(--band); fill-opacity: .2; }
.chart .median { stroke: var(--accent); stroke-width: 1.5; fill: none; }
.chart .reach { stroke: var(--accent); stroke-dasharray: 5 3; fill: none; }
.chart .candle { stroke: var(--ink); fill: var(--page); }
.chart .fell { fill: var(--ink); }
.chart .ahead { stroke: var(--accent); }
.chart .ahead.fell { fill: var(--accent); }
.chart .value { fill: var(--accent); font-weight: 600; }
.chart .slot { fill: transparent; }
.chart .slot:hover { fill: var(--muted); fill-opacity: .14; }
"""
NARROW, WIDE = 360, 820
_LETTER = 6.4
"""Pixels of a letter, on the safe side."""

_APART = 13
"""Pixels between two lines of text."""


@dataclass(frozen=True)
class _Frame:
    fan: Fan
    width: int
    left: float
    right: float
    top: float
    bottom: float

    @property
    def slot(self) -> float:
        """Pixels of a session."""
        return (self.right - self.left) / (self.fan.last - self.fan.first + 1)

    def x(self, session: int | float) -> float:
        return self.left + (session - self.fan.first + 0.5) * self.slot

    @property
    def y(self) -> Scale:
        return Scale(self.fan.bounds, (self.bottom, self.top))


def standalone(forecasts: Sequence[Forecast]) -> Markup:
    """A whole SVG file: one chart under the other, and the sentence on skill."""
    charts = [chart(forecast, WIDE) for forecast in forecasts]
    said = [fan_of(forecasts[0]).caption, *notes(forecasts)]
    height, lines = 420, [part for text in said for part in textwrap.wrap(text, int((WIDE - 32) / _LETTER))]
    total = height * len(charts) + 18 * len(lines) + 20
    placed = [element("g", one, transform=f"translate(0 {height * place})") for place, one in enumerate(charts)]
    words = [
        element("text", text, class_="muted", x=16, y=height * len(charts) + 16 + 18 * place)
        for place, text in enumerate(lines)
    ]
    return element(
        "svg",
        element("style", Markup(THEME + STYLE)),
        element("rect", class_="sheet", width=WIDE, height=total),
        *placed,
        *words,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDE} {total}",
        width=WIDE,
        height=total,
        class_="chart",
    )


def chart(forecast: Forecast, width: int, identity: str = "", titled: bool = True, legend: bool = True) -> Markup:
    """One chart as an `<svg>` element that a page styles with `STYLE`.

    Args:
        width: of the view box, whose height follows; a narrow chart shows fewer candles, so that text stays large.
        identity: makes ids on a page unique; without it the chart is not named for screen readers.
        titled: whether ticker and last close are drawn.
        legend: whether the marks are explained; on a card, which has no legend, the sessions say nothing to the mouse.
    """
    narrow = width < 600
    fan = fan_of(forecast, 30 if narrow else 66)
    height = 300 if narrow else 420
    head = 20.0 + 22 * titled + (34 if narrow else 18) * legend
    margin = 14 + 1.3 * _LETTER * max(len(fan.price(price)) for price in (*fan.bounds, forecast.last_close))
    frame = _Frame(fan, width, 12.0, width - margin, head, height - 44.0)
    names = (
        [element("title", fan.title, id=f"{identity}-t"), element("desc", fan.summary, id=f"{identity}-d")]
        if identity
        else []
    )
    return element(
        "svg",
        *names,
        *_title(fan, titled),
        *(_legend(fan, 42.0 if titled else 16.0, narrow) if legend else ()),
        *_axes(frame),
        *_ahead(frame),
        *_past(frame),
        *_labels(frame),
        *(_slots(frame) if legend else ()),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        class_="chart",
        role="img" if identity else None,
        aria_labelledby=f"{identity}-t {identity}-d" if identity else None,
    )


def _title(fan: Fan, wanted: bool) -> Iterator[Markup]:
    if wanted:
        yield element("text", fan.title, class_="title", x=12, y=22)


def _legend(fan: Fan, y: float, narrow: bool) -> Iterator[Markup]:
    """What the marks mean: in one line where there is room, else in two."""
    x = 12.0
    for place in range(len(fan.bands)):
        layers = [element("rect", class_="band", x=x, y=y - 9, width=14, height=10) for _ in range(place + 1)]
        words = fan.bands[place].words if place == len(fan.bands) - 1 else f"{fan.bands[place].share:.0%}"
        yield joined([*layers, element("text", words, class_="muted", x=x + 18, y=y)])
        x += 28 + _LETTER * len(words)
    if fan.reach:
        x, y = (12.0, y + 17) if narrow else (x, y)
        words = f"{fan.reach.share:.0%} band {RANGE}"
        yield element("path", class_="reach", d=line([x, x + 14], [y - 4, y - 4]))
        yield element("text", words, class_="muted", x=x + 18, y=y)
        x += 28 + _LETTER * len(words)
    if not narrow:
        yield element("text", LEGEND, class_="muted", x=x, y=y)


def _axes(frame: _Frame) -> Iterator[Markup]:
    ticks, taken = frame.y.ticks(5), [frame.top - 8, *(frame.y(price) for price in _told(frame))]
    for tick, text in zip(ticks, tick_texts(ticks), strict=True):
        y = frame.y(tick)
        yield element("path", class_="grid", d=line([frame.left, frame.right], [y, y]))
        if all(abs(y - other) >= _APART for other in taken):
            yield element("text", text, class_="muted", x=frame.right + 6, y=y + 4)
    yield element("text", frame.fan.forecast.currency, class_="muted", x=frame.right + 6, y=frame.top - 4)
    room = frame.left
    for session, words in frame.fan.months:
        x = frame.x(session) - frame.slot / 2
        yield element("path", class_="grid", d=line([x, x], [frame.top, frame.bottom]))
        if x >= room and x + _LETTER * len(words) < frame.width:
            yield element("text", words, class_="muted", x=x + 2, y=frame.bottom + 15)
            room = x + _LETTER * (len(words) + 2)
    yield from _days(frame)


def _days(frame: _Frame) -> Iterator[Markup]:
    """The line after the origin, its day before it, the last day after it."""
    forecast, x, y = frame.fan.forecast, frame.x(0.5), frame.bottom + 33
    yield element("path", class_="origin", d=line([x, x], [frame.top - 8, y + 4]))
    wide = 1.2 * _LETTER * 10  # digits are wider than letters
    end = min(max(x + 5 + wide, frame.x(frame.fan.last) + wide / 2), frame.width - 2.0)
    yield element("text", f"last close {forecast.origin}", x=min(x - 5, end - wide - 6), y=y, text_anchor="end")
    yield element("text", str(forecast.dates[-1]), x=end, y=y, text_anchor="end")


def _ahead(frame: _Frame) -> Iterator[Markup]:
    """Bands, reach, median; they end half a session after the last step, whose candle lies inside them."""
    fan, end = frame.fan, frame.x(frame.fan.last + 0.5)
    xs = [*(frame.x(x) for x in fan.xs), end]

    def ys(prices: list[float]) -> list[float]:
        return [frame.y(price) for price in (*prices, prices[-1])]

    for one in fan.bands:
        yield element("path", class_="band", d=band(xs, ys(one.lower), ys(one.upper)))
    if fan.reach:
        yield element("path", class_="reach", d=line(xs, ys(fan.reach.lower)) + line(xs, ys(fan.reach.upper)))
    yield element("path", class_="median", d=line(xs, ys(fan.median)))
    for step, prices in zip(fan.forecast.steps, fan.forecast.point.tolist(), strict=True):
        yield _candle(frame, step, prices, " ahead")


def _past(frame: _Frame) -> Iterator[Markup]:
    for session, prices in enumerate(frame.fan.candles.tolist(), frame.fan.first):
        yield _candle(frame, session, prices, "")


def _candle(frame: _Frame, session: int, prices: list[float], more: str) -> Markup:
    fell = " fell" if prices[3] < prices[0] else ""
    body = candle(frame.x(session), prices, frame.y, max(2.0, 0.62 * frame.slot))
    return element("path", class_=f"candle{more}{fell}", d=body)


def _labels(frame: _Frame) -> Iterator[Markup]:
    """The last day's median and main band in figures, beside the axis."""
    for price in _told(frame):
        yield element("text", frame.fan.price(price), class_="value", x=frame.right + 6, y=frame.y(price) + 4)


def _told(frame: _Frame) -> list[float]:
    """Median and main band of the last day, without what would lie on the other."""
    fan, told = frame.fan, list[float]()
    for price in (fan.median[-1], *((fan.main.upper[-1], fan.main.lower[-1]) if fan.main else ())):
        if all(abs(frame.y(price) - frame.y(other)) >= _APART for other in told):
            told.append(price)
    return told


def _slots(frame: _Frame) -> Iterator[Markup]:
    """An invisible column over every session that tells its figures to the mouse."""
    fan, forecast = frame.fan, frame.fan.forecast
    dates = forecast.history.dates[-fan.past :]
    for place, (date, prices) in enumerate(zip(dates, fan.candles.tolist(), strict=True)):
        yield _slot(frame, fan.first + place, f"{date}\n{_words(fan, prices)}")
    for place, step in enumerate(forecast.steps):
        shares = [f"{one.words}: {fan.reach_text(one, place + 1)}" for one in reversed(fan.bands)]
        told = [f"{forecast.dates[place]}, median", _words(fan, forecast.point[place].tolist()), *shares]
        yield _slot(frame, step, "\n".join(told))


def _slot(frame: _Frame, session: int, words: str) -> Markup:
    return element(
        "rect",
        element("title", words),
        class_="slot",
        x=frame.x(session - 0.5),
        y=frame.top,
        width=frame.slot,
        height=frame.bottom - frame.top,
    )


def _words(fan: Fan, prices: list[float]) -> str:
    names = ("open", "high", "low", "close")
    return ", ".join(f"{name} {fan.price(price)}" for name, price in zip(names, prices, strict=True))
