"""Candles in a terminal: two half-rows a line, a column or two a session, and the bands of what is to come.

Shape alone tells all: a thin body rose, a solid one fell, shades are bands. Colour only repeats it.
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
"""Columns below which a chart tells nothing."""

_BANDS = ((0.1, 0.9, "░"), (0.25, 0.75, "▒"))
_BAND, _RISING, _FALLING, _AHEAD = "cyan", "green", "red", "bold"
_LEAST = 12
_DATE = len("2013-03-01")
# what the lower and the upper half of a cell hold: 0 nothing, 1 wick, 2 body
_THIN = {(1, 1): "│", (2, 2): "┃", (2, 1): "╽", (1, 2): "╿", (1, 0): "╷", (0, 1): "╵", (2, 0): "╻", (0, 2): "╹"}
_SOLID = _THIN | {(2, 2): "█", (2, 1): "▄", (1, 2): "▀", (2, 0): "▄", (0, 2): "▀"}


@dataclass(frozen=True)
class _Frame:
    """Where things lie: sessions by column, prices by half-row, counted from the bottom."""

    past: int
    pitch: int
    steps: int
    y: Scale

    @property
    def origin(self) -> int:
        """The column of the line between what was and what may come."""
        return self.past * self.pitch

    @property
    def width(self) -> int:
        return self.origin + 1 + self.steps * self.pitch

    def ahead(self, step: int) -> int:
        """Column of the session so many steps ahead."""
        return self.origin + 1 + (step - 1) * self.pitch

    def half(self, price: float) -> int:
        return round(self.y(price))


Cells = list[list[tuple[str, str]]]
"""Marks with their styles by row, from the bottom, and column."""


def legend(forecast: Forecast) -> str:
    """What the marks mean, and what the bands held in the test of the run."""
    wide, narrow = held_text(forecast, 0.8), held_text(forecast, 0.5, where="")
    return f"{_CANDLES}\n░ {beside('80% of closes', wide)}. ▒ {beside('50%', narrow)}."


def candle_chart(forecast: Forecast, width: int, height: int = HEIGHT) -> Text:
    """The last candles, the median candles to come and their bands, in lines of at most `width` columns.

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
    """As many candles of the past as there is room for; a column more between sessions where a dozen still fit."""
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

    def held(half: int) -> int:
        return (low <= half <= high) + (bottom <= half <= top)

    for row in range(low // 2, high // 2 + 1):
        cells[row][column] = (marks[held(row * 2), held(row * 2 + 1)], style)


def _dates(forecast: Forecast, frame: _Frame) -> Text:
    """The first day shown and the origin before the line; after it the first and the last day, under their candles."""
    told = _ends(str(forecast.history.dates[-frame.past]), str(forecast.origin), 0, frame.origin)
    begins = frame.ahead(forecast.steps[0]) - frame.origin - 1
    coming = _ends(str(forecast.dates[0]), str(forecast.dates[-1]), begins, max(frame.width - frame.origin - 1, _DATE))
    return Text(f"{told}┊{coming}", "dim")


def _ends(first: str, last: str, begins: int, width: int) -> str:
    """A stretch of the axis with its last day at its end, and its first where it begins, unless they would touch."""
    if first == last or begins + len(first) + len(last) >= width:
        return f"{last if len(last) <= width else '':>{width}}"
    return f"{'':{begins}}{first:<{width - begins - len(last)}}{last}"
