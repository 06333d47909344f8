"""A forecast in a terminal: a chart, the forecast candles as a table, and the verdict on skill."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.errors import at_most_five
from forecaster.inference.forecast import Forecast
from forecaster.show import candlechart
from forecaster.show.columns import fitting, table, taken
from forecaster.show.held import beside, held_at, held_text
from forecaster.show.output import View
from forecaster.show.screen import drawn
from forecaster.show.words import price_text
from forecaster.show.words import share as share_text

_BANDS = ((0.1, 0.9, "─", "cyan"), (0.25, 0.75, "━", "bold cyan"))
_BAND_NAME = "80% of closes"
_WIDEST_CHART, _WIDEST_LINE = 100, 80
_NARROWEST, _WIDEST = 9, 30
_CHARTS, _TABLES = 3, 8
"""Up to 3 tickers have a chart each, up to 8 a table each; more are one line each."""


def forecast_view(forecasts: Sequence[Forecast]) -> View:
    """One chart and table per ticker, or one line each for many, and the verdict once."""
    return View(lambda: [one.as_data() for one in forecasts], _Rows(forecasts), lambda: _Pages(forecasts))


@dataclass(frozen=True)
class _Rows:
    """The long form, made while it is read: of thousands of tickers it would fill the memory."""

    forecasts: Sequence[Forecast]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (row for forecast in self.forecasts for row in forecast.as_rows())


@dataclass(frozen=True)
class _Pages:
    """All forecasts, at the width of the screen."""

    forecasts: Sequence[Forecast]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = drawn(options.max_width)
        if len(self.forecasts) > _TABLES:
            yield from _overview(self.forecasts, width)
        else:
            for forecast in self.forecasts:
                yield from _page(forecast, width, chart=len(self.forecasts) <= _CHARTS)
            if len(self.forecasts) > _CHARTS and _has_bands(self.forecasts[0]):
                yield Text(_legend(self.forecasts[0]), "dim")
        yield Text()
        yield from (Text(text, "italic") for text in _verdicts(self.forecasts))


def _verdicts(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """What the test says, once for all tickers that it says the same of; those of the others are named."""
    alike: dict[str, list[Forecast]] = {}
    for one in forecasts:
        alike.setdefault(one.skill["verdict"].replace(one.ticker, "{}"), []).append(one)
    for text, found in alike.items():
        names = at_most_five(one.ticker for one in found)
        which = f"{names}: " if len(alike) > 1 and "{}" not in text else ""
        cut_off = f", weights of {found[0].fitted_to}" if found[0].weights == "production" else ""
        yield f"{which}Run {found[0].run}{cut_off}. {text.replace('{}', names)}"


def _legend(forecast: Forecast) -> str:
    wide, narrow = held_text(forecast, 0.8), held_text(forecast, 0.5, where="")
    return f"Candles are medians.\n─ {beside('80% of closes', wide)}. ━ {beside('50%', narrow)}. ╋ is the median close."


def _page(forecast: Forecast, width: int, chart: bool) -> Iterator[RenderableType]:
    close = price_text(forecast.last_close, forecast.last_close)
    yield Text(f"\n{forecast.ticker} after {forecast.origin}, close {close} {forecast.currency}", "bold")
    chart = chart and _has_bands(forecast) and width >= candlechart.NARROWEST
    if chart:
        yield candlechart.candle_chart(forecast, min(width, _WIDEST_CHART))
        yield Text(candlechart.legend(forecast), "dim")
        yield Text()
    yield _table(forecast, width, bars=not chart)
    if forecast.paths is not None:
        yield Text(_path_line(forecast.paths), "dim")


def _path_line(paths: np.ndarray) -> str:
    """The range of whole paths, low to high over all their sessions, which no band of one session shows."""
    spans = paths[:, :, 1].max(axis=1) / paths[:, :, 2].min(axis=1) - 1
    low, middle, high = np.quantile(spans, (0.1, 0.5, 0.9))
    sessions = f"{paths.shape[1]} session{'s' if paths.shape[1] > 1 else ''}"
    drawn = f"{len(paths):,} path{'s' if len(paths) > 1 else ''}"
    return f"{drawn} over {sessions}: low to high {middle:.1%}, four of five {low:.1%} to {high:.1%}."


def _table(forecast: Forecast, width: int, bars: bool) -> Table:
    found = candle_columns(forecast) | ({} if bars else _widths(forecast))
    columns = fitting(found, width, ("volatility", "range", "held", "open", "high", "low"))
    room = min(width, _WIDEST_LINE) - 2 - taken(columns)
    if bars and _has_bands(forecast) and room >= _NARROWEST:
        columns = {**columns, "": _pictures(forecast, min(room, _WIDEST))}
    return table(columns, left=("date", ""))


def candle_columns(forecast: Forecast) -> dict[str, Sequence[str | Text]]:
    """Median candles, the 80 % band of the close and its coverage in the test, as texts: one row per step."""
    columns: dict[str, Sequence[str | Text]] = {"date": [str(date) for date in forecast.dates]}
    for variable, name in enumerate(("open", "high", "low", "close")):
        columns[name] = [price_text(price, forecast.last_close) for price in forecast.point[:, variable]]
    if _has_bands(forecast):
        columns[_BAND_NAME] = [_range(forecast, place) for place in range(len(forecast.steps))]
        held = [held_at(forecast, 0.8, step) for step in forecast.steps]
        if any(share is not None for share in held):
            columns["held"] = [share_text(share) for share in held]
    return columns


def _widths(forecast: Forecast) -> dict[str, Sequence[str | Text]]:
    """Range from low to high and annualised volatility, where the run forecasts them."""
    if not np.isfinite(forecast.volatility).all():
        return {}
    return {
        "range": [f"{np.expm1(width):.1%}" for width in forecast.range],
        "volatility": [f"{share:.0%} a year" for share in forecast.volatility],
    }


def _range(forecast: Forecast, place: int) -> str:
    low, high = (forecast.prices[place, 3, forecast.levels.index(level)] for level in _BANDS[0][:2])
    return f"{price_text(low, forecast.last_close)} – {price_text(high, forecast.last_close)}"


def _pictures(forecast: Forecast, width: int) -> list[Text]:
    """The bands of the close, all steps on one scale."""
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


def _overview(forecasts: Sequence[Forecast], width: int) -> Iterator[RenderableType]:
    """One line per ticker: its last close, and the forecast close of the last day."""
    step = forecasts[0].steps[-1]
    yield Text(f"\n{len(forecasts)} tickers, {step} session{'s' if step > 1 else ''} ahead", "bold")
    lines = [_line(forecast) for forecast in forecasts]
    columns = {name: [line[name] for line in lines] for name in lines[0]}
    yield table(fitting(columns, width, ("after", "±", "", "for")), left=("ticker", "after", "for", ""))
    held = held_text(forecasts[0], 0.8)
    band = f"The band of closes {held}. " if held else ""
    yield Text(f"{band}± is half its width; every day and price: --format csv, or fewer tickers.", "dim")


def _line(forecast: Forecast) -> dict[str, str]:
    price = forecast.last_close
    row = {
        "ticker": forecast.ticker,
        "after": str(forecast.origin),
        "close": price_text(price, price),
        "": forecast.currency,
        "for": str(forecast.dates[-1]),
        "median": price_text(forecast.point[-1, 3], price),
    }
    if _has_bands(forecast):
        low, high = (forecast.prices[-1, 3, forecast.levels.index(level)] for level in _BANDS[0][:2])
        row |= {_BAND_NAME: _range(forecast, -1), "±": f"{(high - low) / 2 / price:.1%}"}
    return row
