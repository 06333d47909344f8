"""Candles in a terminal: two half-rows per line, one or two columns per session, and the forecast's bands.

Shape alone carries the meaning: a thin body rose, a solid one fell, shades are bands. Colour only repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.text import Text

from forecaster.axes import Float
from forecaster.inference.forecast import Forecast
from forecaster.show.held import beside, held_text
from forecaster.show.scale import Scale, tick_texts
from forecaster.show.words import price_text

_CANDLES = "Body ┃ rose, █ fell; ahead, medians."
HEIGHT = 14
NARROWEST = 40
"""Columns below which a chart is unreadable."""

_BANDS = ((0.1, 0.9, "░"), (0.25, 0.75, "▒"))
_BAND, _RISING, _FALLING, _AHEAD = "cyan", "green", "red", "bold"
_LEAST = 12
_DATE = len("2013-03-01")
# by the lower and the upper half of a cell: 0 empty, 1 wick, 2 body
_THIN = {(1, 1): "│", (2, 2): "┃", (2, 1): "╽", (1, 2): "╿", (1, 0): "╷", (0, 1): "╵", (2, 0): "╻", (0, 2): "╹"}
_SOLID = _THIN | {(2, 2): "█", (2, 1): "▄", (1, 2): "▀", (2, 0): "▄", (0, 2): "▀"}


@dataclass(frozen=True)
class _Frame:
    """Layout: sessions by column, prices by half-row from the bottom."""

    past: int
    pitch: int
    steps: int
    y: Scale

    @property
    def origin(self) -> int:
        """Column of the line between history and forecast."""
        return self.past * self.pitch

    @property
    def width(self) -> int:
        return self.origin + 1 + self.steps * self.pitch

    def ahead(self, step: int) -> int:
        """Column of the session that is `step` steps ahead."""
        return self.origin + 1 + (step - 1) * self.pitch

    def half(self, price: float) -> int:
        return round(self.y(price))


Cells = list[list[tuple[str, str]]]
"""Marks with their styles, by row from the bottom and column."""


def legend(forecast: Forecast) -> str:
    """What the marks mean, and the bands' coverage in the run's test."""
    wide, narrow = held_text(forecast, 0.8), held_text(forecast, 0.5, where="")
    return f"{_CANDLES}\n░ {beside('80% of closes', wide)}. ▒ {beside('50%', narrow)}."


def candle_chart(forecast: Forecast, width: int, height: int = HEIGHT) -> Text:
    """The last candles, the median candles ahead and their bands, in lines of at most `width` columns.

    Sessions between the trained steps stay empty.
    """
    frame = _framed(forecast, width, height)
    cells: Cells = [[(" ", "")] * frame.width for _ in range(height)]
    for row in cells:
        row[frame.origin] = ("┊", "dim")
    for place, step in enumerate(forecast.steps):
        _draw_bands(cells, frame, forecast, place)
        _draw_candle(cells, frame, frame.ahead(step), forecast.point[place], _AHEAD)
    for place, prices in enumerate(forecast.history.ohlc[-frame.past :]):
        rose = prices[3] >= prices[0]
        _draw_candle(cells, frame, place * frame.pitch, prices, _RISING if rose else _FALLING)
    ticks = frame.y.ticks(5)
    labels = {frame.half(tick) // 2: text for tick, text in zip(ticks, tick_texts(ticks), strict=True)}
    lines = [Text.assemble(*row, (f" {labels.get(place, '')}", "dim")) for place, row in enumerate(cells)]
    return Text("\n", no_wrap=True, overflow="crop").join([*reversed(lines), _dates(forecast, frame)])


def _framed(forecast: Forecast, width: int, height: int) -> _Frame:
    """As many past candles as fit; two columns per session where at least a dozen still fit."""
    steps = forecast.steps[-1]
    room = width - 3 - len(price_text(forecast.last_close, forecast.last_close))
    pitch = 2 if room // 2 - steps >= _LEAST else 1
    dated = (width - 1 - _DATE) // pitch  # the last day's date stands right of the line
    past = max(1, min(len(forecast.history.dates), room // pitch - steps, dated))
    outer = [forecast.levels.index(level) for level in _BANDS[0][:2]]
    prices = [forecast.history.ohlc[-past:], forecast.point, forecast.prices[:, 3, outer]]
    low, high = min(float(one.min()) for one in prices), max(float(one.max()) for one in prices)
    return _Frame(past, pitch, steps, Scale((low, high), (0.0, 2.0 * height - 1)))


def _draw_bands(cells: Cells, frame: _Frame, forecast: Forecast, place: int) -> None:
    first = frame.ahead(forecast.steps[place])
    for lower, upper, mark in _BANDS:
        low, high = (forecast.prices[place, 3, forecast.levels.index(level)] for level in (lower, upper))
        for row in cells[frame.half(low) // 2 : frame.half(high) // 2 + 1]:
            row[first : first + frame.pitch] = [(mark, _BAND)] * frame.pitch


def _draw_candle(cells: Cells, frame: _Frame, column: int, prices: Float[np.ndarray, " 4"], style: str) -> None:
    opened, high, low, closed = (frame.half(price) for price in prices)
    bottom, top = sorted((opened, closed))
    marks = _THIN if prices[3] >= prices[0] else _SOLID

    def mark(half: int) -> int:
        # The body lies within the wick: 0 outside, 1 wick, 2 body.
        return (low <= half <= high) + (bottom <= half <= top)

    for row in range(low // 2, high // 2 + 1):
        cells[row][column] = (marks[mark(row * 2), mark(row * 2 + 1)], style)


def _dates(forecast: Forecast, frame: _Frame) -> Text:
    """The first day shown and the origin before the line; after it the first and the last day, under their candles."""
    past = _ends(str(forecast.history.dates[-frame.past]), str(forecast.origin), 0, frame.origin)
    begins = frame.ahead(forecast.steps[0]) - frame.origin - 1
    ahead = _ends(str(forecast.dates[0]), str(forecast.dates[-1]), begins, max(frame.width - frame.origin - 1, _DATE))
    return Text(f"{past}┊{ahead}", "dim")


def _ends(first: str, last: str, begins: int, width: int) -> str:
    """Part of the axis: its first day where it begins, its last at the end; the first only where both fit."""
    if first == last or begins + len(first) + len(last) >= width:
        return f"{last if len(last) <= width else '':>{width}}"
    return f"{'':{begins}}{first:<{width - begins - len(last)}}{last}"
