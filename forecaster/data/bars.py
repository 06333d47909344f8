"""Daily candles of one ticker, validated on construction."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from forecaster.axes import Bool, Float, Shaped
from forecaster.errors import DataError
from forecaster.mapped import Pool

TOLERANCE = 1e-6
"""Relative tolerance for high ≥ max(open, close) and low ≤ min(open, close): sources round."""

COLUMNS = ("open", "high", "low", "close", "adj_close", "volume", "dividend", "split")

Dates = Shaped[np.ndarray, " time"]
Column = Float[np.ndarray, " time"]


@dataclass(frozen=True, eq=False)
class Bars:
    """Daily candles on the ticker's own sessions, ascending.

    Args:
        currency: ISO code of the prices' unit.
        calendar: name of the exchange calendar, such as `XNYS`.
        timezone: IANA time zone of the exchange; dates are local days there.
        dates: datetime64[D].
        open, high, low, close: as the source gives them, not adjusted for dividends.
        adj_close: close adjusted for splits and dividends.
        dividend: cash per share on ex-dividend days, else 0.
        split: split ratio on the day of a split, else 1.

    Raises:
        DataError: columns of unequal length, unsorted or duplicate dates, a price that is not positive,
            or a candle whose high or low does not enclose open and close.
    """

    ticker: str
    currency: str
    calendar: str
    timezone: str
    dates: Dates
    open: Column
    high: Column
    low: Column
    close: Column
    adj_close: Column
    volume: Column
    dividend: Column
    split: Column

    def __post_init__(self) -> None:
        for name in ("dates", *COLUMNS):
            array = getattr(self, name).view()  # a view, so that the caller's array stays writable
            if len(array) != len(self.dates):
                raise DataError(f"{self.ticker}: {name} has {len(array)} rows, expected {len(self.dates)}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        problem = self._problem()
        if problem:
            raise DataError(f"{self.ticker}: {problem}.")

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def ohlc(self) -> Float[np.ndarray, "time 4"]:
        """Open, high, low, close as the source gives them, unadjusted."""
        return np.stack([self.open, self.high, self.low, self.close], axis=1)

    def adjusted(self) -> Float[np.ndarray, "time 4"]:
        """Open, high, low, close adjusted for splits and dividends: each price · adj_close / close."""
        factor = np.where(self.adj_close == self.close, 1.0, self.adj_close / self.close)
        return self.ohlc * factor[:, None]

    def between(self, start: np.datetime64 | None = None, end: np.datetime64 | None = None) -> Bars:
        """The rows with start ≤ date ≤ end."""
        first = 0 if start is None else int(np.searchsorted(self.dates, start, "left"))
        last = len(self) if end is None else int(np.searchsorted(self.dates, end, "right"))
        if (first, last) == (0, len(self)):
            return self
        return replace(self, **{name: getattr(self, name)[first:last] for name in ("dates", *COLUMNS)})

    def kept(self, pool: Pool) -> Bars:
        """The same candles, whose columns the pool may have moved to a file."""
        moved: dict[str, Any] = {name: pool.keep(getattr(self, name)) for name in ("dates", *COLUMNS)}
        return replace(self, **moved)

    def same_as(self, other: Bars) -> bool:
        """Whether every field is equal, bit for bit."""
        return all(np.array_equal(getattr(self, item.name), getattr(other, item.name)) for item in fields(self))

    def _problem(self) -> str | None:
        if len(self.dates) and not np.all(np.diff(self.dates) > np.timedelta64(0, "D")):
            at = int(np.argmin(np.diff(self.dates) > np.timedelta64(0, "D"))) + 1
            return f"{self.dates[at]} is duplicated or out of order, expected ascending dates"
        for name in ("open", "high", "low", "close", "adj_close"):
            bad = ~positive(getattr(self, name))
            if bad.any():
                return f"{name} on {self.dates[np.argmax(bad)]} is {getattr(self, name)[np.argmax(bad)]}, expected > 0"
        bad = ~encloses(self.open, self.high, self.low, self.close)
        if bad.any():
            return f"the candle of {self.dates[np.argmax(bad)]} has a high or low that does not enclose open and close"
        # Not `volume < 0`, which is False for NaN.
        bad = ~(self.volume >= 0)
        if bad.any():
            return f"volume on {self.dates[np.argmax(bad)]} is {self.volume[np.argmax(bad)]}, expected ≥ 0"
        return None


def positive(prices: Column) -> Bool[np.ndarray, " time"]:
    """Mask of prices that are finite and above 0."""
    mask: np.ndarray = np.isfinite(prices) & (prices > 0)
    return mask


def encloses(open: Column, high: Column, low: Column, close: Column) -> Bool[np.ndarray, " time"]:
    """Mask of candles with low ≤ min(open, close) and max(open, close) ≤ high, within `TOLERANCE`."""
    top, bottom = np.maximum(open, close), np.minimum(open, close)
    mask: np.ndarray = (high >= top * (1 - TOLERANCE)) & (low <= bottom * (1 + TOLERANCE))
    return mask
