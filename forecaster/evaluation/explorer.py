"""The last forecasts of each ticker beside the candles that came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Rows

ORIGINS = 50
"""Origins of each ticker, the last ones."""

_BEFORE = 30
"""Candles shown before the first origin."""

_MOST = 2_050_000
"""Values in all: as 16-bit numbers in base64 they take 5.5 MB. Beyond it each ticker has fewer origins."""

_EDGES = ((3, 0.25), (3, 0.75), (3, 0.1), (3, 0.9), (1, 0.9), (2, 0.1))
"""What is kept beside the median candle, as variable and level: two bands of the close, and how far high and low go."""


@dataclass(frozen=True, eq=False)
class TickerView:
    """A ticker's last candles of the test period, and the forecasts made in it.

    Args:
        candles: open, high, low, close, adjusted for splits and dividends to the last of the sessions.
        origins: places in `sessions`, ascending.
        forecasts: log(price / close of the origin): the median open, high, low and close, then, where the forecast has
            bands, the close's .25, .75, .1 and .9, the high's .9 and the low's .1.
    """

    ticker: str
    currency: str
    sessions: Shaped[np.ndarray, " session"]
    candles: Float[np.ndarray, "session 4"]
    origins: Int[np.ndarray, " origin"]
    forecasts: Float[np.ndarray, "origin horizon value"]


Shown = Int[np.ndarray, " shown"]
"""Rows of the panel whose forecasts are in the explorer."""


def explored_rows(dataset: Dataset, rows: Rows, levels: tuple[float, ...]) -> Shown:
    """The last origins of each ticker: `ORIGINS` of them, or as many as a page can hold."""
    tickers = dataset.panel.ticker_of_row[rows]
    a_ticker = _MOST // (len(np.unique(tickers)) * len(dataset.steps) * (4 + len(_edges(levels))))
    from_end = np.searchsorted(tickers, tickers, "right") - np.arange(len(rows))
    return rows[from_end <= max(1, min(ORIGINS, a_ticker))]


def explored_values(
    quantiles: Float[np.ndarray, "origin horizon variable quantile"], levels: tuple[float, ...]
) -> Float[np.ndarray, "origin horizon value"]:
    """The part of the quantiles that `TickerView.forecasts` holds."""
    medians = quantiles[..., levels.index(0.5)]
    edges = [quantiles[..., variable, levels.index(level)] for variable, level in _edges(levels)]
    return np.concatenate([medians, *(edge[..., None] for edge in edges)], axis=-1)


def explorer(
    dataset: Dataset, period: Period, rows: Shown, values: Float[np.ndarray, "shown horizon value"]
) -> tuple[TickerView, ...]:
    """One view a ticker that has an origin.

    Args:
        values: of the rows, as `explored_values` gives them.
    """
    tickers = dataset.panel.ticker_of_row[rows]
    return tuple(
        _view(dataset, period, int(ticker), rows[tickers == ticker], values[tickers == ticker])
        for ticker in np.unique(tickers)
    )


def _view(dataset: Dataset, period: Period, ticker: int, rows: Shown, values: np.ndarray) -> TickerView:
    panel = dataset.panel
    first = max(int(rows[0]) - _BEFORE, panel.rows_of(ticker).start)
    last = min(int(panel.last_rows(period.end)[ticker]), int(rows[-1]) + dataset.steps[-1])
    window = slice(first, last + 1)
    return TickerView(
        ticker=panel.tickers[ticker],
        currency=panel.currencies[ticker],
        sessions=panel.sessions[window],
        candles=panel.prices[window] * (panel.close[last] / panel.prices[last, 3]),
        origins=rows - first,
        forecasts=values,
    )


def _edges(levels: tuple[float, ...]) -> tuple[tuple[int, float], ...]:
    return tuple(edge for edge in _EDGES if edge[1] in levels)
