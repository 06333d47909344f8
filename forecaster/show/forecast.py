"""A forecast as a table: the candles to come, where most closes fall, and how far to trust them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.axes import Float
from forecaster.inference.forecast import Forecast
from forecaster.show.output import View

_BANDS = ((0.1, 0.9, "─", "cyan"), (0.25, 0.75, "━", "bold cyan"))
_LEGEND = "Candles are medians. ─ holds 80% of closes, ━ half of them; ╋ is their median."
_WIDTH = 80
_NARROWEST, _WIDEST = 9, 30


def forecast_view(forecasts: Sequence[Forecast]) -> View:
    """One table a ticker, and the sentence on skill once."""
    rows = [row for forecast in forecasts for row in forecast.as_rows()]
    return View([forecast.as_data() for forecast in forecasts], rows, lambda: _pages(forecasts))


def _pages(forecasts: Sequence[Forecast]) -> RenderableType:
    parts: list[RenderableType] = []
    for forecast in forecasts:
        close = f"{forecast.last_close:,.{_decimals(forecast)}f}"
        head = f"\n{forecast.ticker} after {forecast.origin}, close {close} {forecast.currency}"
        parts += [Text(head, "bold"), _table(forecast)]
    if _has_bands(forecasts[0]):
        parts.append(Text(_LEGEND, "dim", no_wrap=True, overflow="ellipsis"))
    parts.append(Text(f"\nRun {forecasts[0].run}. {forecasts[0].skill['verdict']}", "italic"))
    return Group(*parts)


def _table(forecast: Forecast) -> Table:
    prices = forecast.prices[:, 3]
    columns = {"date": [str(date) for date in forecast.dates]}
    for variable, name in enumerate(("open", "high", "low", "close")):
        columns[name] = _texts(forecast, forecast.point[:, variable])
    if _has_bands(forecast):
        low, high = (_texts(forecast, prices[:, forecast.levels.index(level)]) for level in _BANDS[0][:2])
        columns["80% of closes"] = [f"{one} – {other}" for one, other in zip(low, high, strict=True)]
    room = _WIDTH - sum(2 + max(map(len, (name, *texts))) for name, texts in columns.items())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="left" if name == "date" else "right", no_wrap=True)
    cells = [list(row) for row in zip(*columns.values(), strict=True)]
    if not _has_bands(forecast) or room < _NARROWEST:
        pictures: list[list[RenderableType]] = [[] for _ in cells]
    else:
        table.add_column(no_wrap=True)
        pictures = [[picture] for picture in _pictures(forecast, min(room, _WIDEST))]
    for texts, picture in zip(cells, pictures, strict=True):
        table.add_row(*texts, *picture)
    return table


def _pictures(forecast: Forecast, width: int) -> list[Text]:
    """The bands of the close, each step drawn to the same scale."""
    prices = np.log(forecast.prices[:, 3])
    outer = [forecast.levels.index(level) for level in _BANDS[0][:2]]
    bottom, top = prices[:, outer].min(), prices[:, outer].max()
    places = np.rint((prices - bottom) / max(top - bottom, 1e-9) * (width - 1)).astype(int)
    return [_picture(forecast, step, width) for step in places]


def _picture(forecast: Forecast, places: np.ndarray, width: int) -> Text:
    marks = [(" ", "")] * width
    for low, high, mark, style in _BANDS:
        first, last = (places[forecast.levels.index(level)] for level in (low, high))
        marks[first : last + 1] = [(mark, style)] * (last + 1 - first)
    marks[places[forecast.levels.index(0.5)]] = ("╋", "bold")
    return Text.assemble(*marks)


def _has_bands(forecast: Forecast) -> bool:
    return {level for band in _BANDS for level in band[:2]} <= set(forecast.levels)


def _texts(forecast: Forecast, prices: Float[np.ndarray, " horizon"]) -> list[str]:
    return [f"{price:,.{_decimals(forecast)}f}" for price in prices]


def _decimals(forecast: Forecast) -> int:
    """Five digits count: 430.47, 1.0834, 12,345; above ten, cents are the least that is shown."""
    digits = 4 - math.floor(math.log10(forecast.last_close))
    return max(0, min(digits, 2) if forecast.last_close >= 10 else digits)
