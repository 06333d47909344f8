"""Candles in the form that features are computed from: a block of tickers, each on its own sessions from row 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from forecaster.data.panel import Panel
from forecaster.features.ewma import ewma

SCALE_HALF_LIFE = 11.0
"""Half-life, in sessions, of the volatility that standardises features and targets."""

SCALE_FLOOR = 1e-3
"""Smallest daily volatility: ten basis points."""

READY_AGE = 60
"""Sessions a ticker must have behind it before anything is learnt from it or said of it."""

_BLOCK = 64
"""Tickers computed at once: many enough to be fast, few enough to pad little."""


@dataclass(frozen=True, eq=False)
class Candles:
    """A block of tickers; rows past a ticker's end are NaN.

    Args:
        logs: natural logs of adjusted open, high, low, close.
        volume: shares.
        sessions: datetime64[D]; NaT past the end.
    """

    logs: Float[np.ndarray, "time ticker 4"]
    volume: Float[np.ndarray, "time ticker"]
    sessions: Shaped[np.ndarray, "time ticker"]

    @property
    def open(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., 0]

    @property
    def high(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., 1]

    @property
    def low(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., 2]

    @property
    def close(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., 3]

    @cached_property
    def previous_close(self) -> Float[np.ndarray, "time ticker"]:
        """Close of the ticker's session before; NaN on its first."""
        return self.lag(self.close, 1)

    @cached_property
    def gap(self) -> Float[np.ndarray, "time ticker"]:
        """Open over the previous close."""
        return self.open - self.previous_close

    @cached_property
    def body(self) -> Float[np.ndarray, "time ticker"]:
        """Close over open."""
        return self.close - self.open

    @cached_property
    def upper_wick(self) -> Float[np.ndarray, "time ticker"]:
        """High over the body."""
        return self.high - np.maximum(self.open, self.close)

    @cached_property
    def lower_wick(self) -> Float[np.ndarray, "time ticker"]:
        """Body over low."""
        return np.minimum(self.open, self.close) - self.low

    @cached_property
    def returns(self) -> Float[np.ndarray, "time ticker"]:
        """Close over the previous close."""
        return self.close - self.previous_close

    @cached_property
    def variance(self) -> Float[np.ndarray, "time ticker"]:
        """One day's variance from its candle: the squared gap, plus Garman–Klass for the session.

        Source: Garman & Klass (1980), "On the Estimation of Security Price Volatilities from Historical Data".
        """
        session = 0.5 * (self.high - self.low) ** 2 - (2 * np.log(2) - 1) * self.body**2
        return self.gap**2 + np.maximum(session, 0.0)

    @cached_property
    def scale(self) -> Float[np.ndarray, "time ticker"]:
        """Daily volatility known at the close: the unit of all that is learnt."""
        return self.volatility((SCALE_HALF_LIFE,))[..., 0]

    def volatility(self, half_lives: tuple[float, ...]) -> Float[np.ndarray, "time ticker scale"]:
        """√EWMA(variance) for each half-life (sessions), floored at `SCALE_FLOOR`."""
        return np.sqrt(np.maximum(self.mean(self.variance, half_lives), SCALE_FLOOR**2))

    def mean(self, values: Float[np.ndarray, "time ticker"], half_lives: tuple[float, ...]) -> np.ndarray:
        """EWMA from the second session on, the first that has a previous close; shape [time, ticker, half-life]."""
        return ewma(np.nan_to_num(values), half_lives, first=1)

    def lag(self, values: Float[np.ndarray, "time ticker"], sessions: int) -> Float[np.ndarray, "time ticker"]:
        """The value so many of the ticker's own sessions ago; NaN before its start."""
        lagged = np.full_like(values, np.nan)
        lagged[sessions:] = values[: len(values) - sessions]
        return lagged


def ready(panel: Panel) -> Bool[np.ndarray, " row"]:
    """Rows whose ticker has `READY_AGE` sessions behind it."""
    return np.arange(len(panel.sessions)) - panel.offsets[panel.ticker_of_row] >= READY_AGE


def by_block(panel: Panel, compute: Callable[[Candles], np.ndarray]) -> np.ndarray:
    """Apply a function of [time, ticker] blocks to all tickers and give its results as the panel's rows.

    Tickers of like length share a block, so that little is padded.
    """
    results: np.ndarray | None = None
    for rows, times, columns, candles in _blocks(panel):
        part = compute(candles)[times, columns]
        if results is None:
            results = np.empty((len(panel.sessions), *part.shape[1:]), part.dtype)
        results[rows] = part
    if results is None:
        raise ValueError("an empty panel has no candles")
    return results


Rows = Int[np.ndarray, " row"]


def _blocks(panel: Panel) -> Iterator[tuple[Rows, Rows, Rows, Candles]]:
    order = np.argsort(panel.lengths, kind="stable")
    for start in range(0, len(order), _BLOCK):
        tickers = order[start : start + _BLOCK]
        lengths = panel.lengths[tickers]
        columns = np.repeat(np.arange(len(tickers)), lengths)
        times = np.concatenate([np.arange(length) for length in lengths])
        rows = panel.offsets[tickers][columns] + times
        yield rows, times, columns, _block(panel, rows, times, columns, (int(lengths.max()), len(tickers)))


def _block(panel: Panel, rows: Rows, times: Rows, columns: Rows, shape: tuple[int, int]) -> Candles:
    logs = np.full((*shape, 4), np.nan)
    volume = np.full(shape, np.nan)
    sessions = np.full(shape, np.datetime64("NaT"), "datetime64[D]")
    logs[times, columns] = np.log(panel.prices[rows])
    volume[times, columns] = panel.volume[rows]
    sessions[times, columns] = panel.sessions[rows]
    return Candles(logs, volume, sessions)
