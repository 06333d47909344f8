"""A forecast as a table: the candles to come, the 80 % band of the close, and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.inference.forecast import Forecast
from forecaster.show.output import View


def forecast_view(forecasts: Sequence[Forecast]) -> View:
    """One table a ticker, and the sentence on skill once."""
    rows = [row for forecast in forecasts for row in forecast.as_rows()]
    return View([forecast.as_data() for forecast in forecasts], rows, lambda: _pages(forecasts))


def _pages(forecasts: Sequence[Forecast]) -> RenderableType:
    parts: list[RenderableType] = []
    for forecast in forecasts:
        head = f"{forecast.ticker}  {forecast.origin}  close {_price(forecast.last_close)} {forecast.currency}"
        parts += [Text(f"\n{head}", "bold"), _table(forecast)]
    parts.append(Text(f"\n{forecasts[0].skill['verdict']}", "italic"))
    parts.append(Text(f"Run {forecasts[0].run}. Each candle is the median forecast.", "dim"))
    return Group(*parts)


def _table(forecast: Forecast) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("date")
    bands = [band for band in ((0.1, 0.9), (0.05, 0.95)) if set(band) <= set(forecast.levels)]
    names = ("open", "high", "low", "close", *(f"{high - low:.0%} of closes in" for low, high in bands))
    for name in names:
        table.add_column(name, justify="right")
    for place, date in enumerate(forecast.dates):
        candle = [_price(price) for price in forecast.point[place]]
        table.add_row(str(date), *candle, *(_band(forecast, place, band) for band in bands))
    return table


def _band(forecast: Forecast, place: int, band: tuple[float, float]) -> str:
    low, high = (forecast.prices[place, 3, forecast.levels.index(level)] for level in band)
    return f"{_price(low)} – {_price(high)}"


def _price(price: float) -> str:
    """Two decimals, or as many as a small price needs."""
    return f"{price:,.2f}" if price >= 1 else f"{price:.4g}"
