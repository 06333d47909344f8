"""The last forecasts of each ticker beside the actual candles (the report's explorer)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Rows

ORIGINS = 50
"""Origins of each ticker, the last ones."""

_BEFORE = 30
"""Candles shown before the first origin."""

_MOST = 2_050_000
"""Most values in total: 5.5 MB as 16-bit numbers in base64. Beyond it each ticker gets fewer origins."""

_EDGES = ((CLOSE, 0.25), (CLOSE, 0.75), (CLOSE, 0.1), (CLOSE, 0.9), (HIGH, 0.9), (LOW, 0.1))
"""Quantiles kept beside the median candle, as (variable, level): two bands of the close, one edge of high and low."""


@dataclass(frozen=True, eq=False)
class TickerView:
    """A ticker's last candles of the test period, and the forecasts made in it.

    Args:
        candles: open, high, low, close, adjusted for splits and dividends to the last of the sessions.
        origins: indices into `sessions`, ascending.
        forecasts: log(price / close of the origin): the median open, high, low and close; then, if the forecast has
            bands, the close's 0.25, 0.75, 0.1 and 0.9 quantiles, the high's 0.9 and the low's 0.1.
    """

    ticker: str
    currency: str
    sessions: Shaped[np.ndarray, " session"]
    candles: Float[np.ndarray, "session 4"]
    origins: Int[np.ndarray, " origin"]
    forecasts: Float[np.ndarray, "origin horizon value"]


Shown = Int[np.ndarray, " shown"]
"""Rows of the panel whose forecasts the explorer shows."""


def explored_rows(dataset: Dataset, rows: Rows, levels: tuple[float, ...]) -> Shown:
    """The last origins of each ticker: `ORIGINS` of them, or as many as fit a page."""
    tickers = dataset.panel.ticker_of_row[rows]
    a_ticker = _MOST // (len(np.unique(tickers)) * len(dataset.steps) * (4 + len(_edges(levels))))
    # Origins left of the same ticker, this one included: tickers 0 0 1 give 2 2 3 − 0 1 2 = 2 1 1.
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
    """One view for each ticker that has an origin.

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
        candles=panel.prices[window] * (panel.close[last] / panel.prices[last, CLOSE]),
        origins=rows - first,
        forecasts=values,
    )


def _edges(levels: tuple[float, ...]) -> tuple[tuple[int, float], ...]:
    return tuple(edge for edge in _EDGES if edge[1] in levels)
