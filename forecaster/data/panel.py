"""Many tickers' candles as one frozen object: each on its own sessions, and the [N, T, 4] tensor of their union."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Float32, Int, Shaped
from forecaster.cores import in_threads
from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError, at_most_five


@dataclass(frozen=True, eq=False)
class Panel:
    """Candles of N tickers, kept as R rows: ticker after ticker, each on its own sessions, ascending.

    Whatever counts sessions (features, lags, context, horizon) counts rows of one ticker. The union grid, where a
    ticker may not have traded, serves export, market means and students.

    Args:
        tickers: N symbols.
        offsets: rows `offsets[n]:offsets[n + 1]` belong to ticker n.
        sessions: datetime64[D] of each row.
        prices: open, high, low, close, adjusted for splits and dividends (see `Bars.adjusted`).
        close: the close in the ticker's currency as the source gives it.
        volume: shares, as the source gives them.
        currencies: ISO code of each ticker.
        calendars: exchange calendar of each ticker.
    """

    tickers: tuple[str, ...]
    offsets: Int[np.ndarray, " border"]
    sessions: Shaped[np.ndarray, " row"]
    prices: Float[np.ndarray, "row 4"]
    close: Float[np.ndarray, " row"]
    volume: Float[np.ndarray, " row"]
    currencies: tuple[str, ...]
    calendars: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("offsets", "sessions", "prices", "close", "volume"):
            array = getattr(self, name).view()  # what the caller holds stays as it was
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, bars: Sequence[Bars]) -> Panel:
        """Join the candles of several tickers.

        Raises:
            InputError: there is no ticker, or one without a candle.
        """
        empty = [one.ticker for one in bars if not len(one)]
        if empty or not bars:
            raise InputError(f"{at_most_five(empty) or 'a panel'}: no candles, expected at least one.")
        lengths = [len(one) for one in bars]
        return cls(
            tickers=tuple(one.ticker for one in bars),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            sessions=np.concatenate([one.dates for one in bars]),
            prices=np.concatenate([one.adjusted() for one in bars]),
            close=np.concatenate([one.close for one in bars]),
            volume=np.concatenate([one.volume for one in bars]),
            currencies=tuple(one.currency for one in bars),
            calendars=tuple(one.calendar for one in bars),
        )

    def __len__(self) -> int:
        return len(self.tickers)

    @property
    def lengths(self) -> Int[np.ndarray, " ticker"]:
        """Sessions of each ticker."""
        return np.diff(self.offsets)

    def rows(self, ticker: str) -> slice:
        """Where a ticker's rows are.

        Raises:
            UnknownNameError: the panel does not hold it.
        """
        if ticker not in self.tickers:
            raise UnknownNameError("ticker", ticker, self.tickers)
        return self.rows_of(self.tickers.index(ticker))

    def rows_of(self, index: int) -> slice:
        """Where the rows of the ticker at a place are."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def until(self, date: np.datetime64) -> Panel:
        """What was known at the close of `date`: no later row, and no ticker that had not started.

        Raises:
            InputError: no ticker had started.
        """
        if not np.any(self.sessions <= date):
            raise InputError(f"no candles up to {date}: the first is of {self.sessions.min()}.")
        return self.taking(self.sessions <= date)

    def rows_since(self, first: Int[np.ndarray, " ticker"]) -> Bool[np.ndarray, " row"]:
        """Each ticker's rows from one on, counted from its start."""
        place = np.arange(len(self.sessions)) - self.offsets[self.ticker_of_row]
        return place >= first[self.ticker_of_row]

    def taking(self, which: Bool[np.ndarray, " row"]) -> Panel:
        """Some of the rows, and the tickers that have any of them."""
        lengths = np.add.reduceat(which, self.offsets[:-1]).astype(np.int64)
        some = np.flatnonzero(lengths)
        return Panel(
            tickers=tuple(self.tickers[n] for n in some),
            offsets=np.concatenate([[0], np.cumsum(lengths[some])]),
            sessions=self.sessions[which],
            prices=self.prices[which],
            close=self.close[which],
            volume=self.volume[which],
            currencies=tuple(self.currencies[n] for n in some),
            calendars=tuple(self.calendars[n] for n in some),
        )

    def last_rows(self, end: np.datetime64) -> Int[np.ndarray, " ticker"]:
        """Each ticker's last row dated ≤ end; `offsets[n] − 1` where it has none."""
        counts = [np.searchsorted(self.sessions[self.rows_of(n)], end, "right") for n in range(len(self))]
        return self.offsets[:-1] + np.array(counts, np.int64) - 1

    @cached_property
    def ticker_of_row(self) -> Int[np.ndarray, " row"]:
        """Index of the ticker that each row belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def dates(self) -> Shaped[np.ndarray, " time"]:
        """The union of all tickers' sessions, ascending."""
        return np.unique(self.sessions)

    @cached_property
    def observed(self) -> Bool[np.ndarray, "ticker time"]:
        """Where a ticker traded on the union grid."""
        grid = np.zeros((len(self), len(self.dates)), bool)
        grid[self.ticker_of_row, self._columns] = True
        return grid

    @cached_property
    def ohlc(self) -> Float32[np.ndarray, "ticker time 4"]:
        """The [N, T, 4] tensor: adjusted open, high, low, close; NaN where a ticker did not trade, never filled."""
        grid = np.full((len(self), len(self.dates), 4), np.nan, np.float32)
        grid[self.ticker_of_row, self._columns] = self.prices
        return grid

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that a panel holds: equal data, equal fingerprint."""
        digest = hashlib.sha256("\n".join(self.tickers).encode())
        digest.update("\n".join((*self.currencies, *self.calendars)).encode())
        arrays = (self.offsets, self.sessions.astype(np.int64), self.prices, self.close, self.volume)
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @cached_property
    def _columns(self) -> Int[np.ndarray, " row"]:
        return np.searchsorted(self.dates, self.sessions)


def read_panel(
    store: Store,
    tickers: Sequence[str],
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
) -> Panel:
    """Read tickers from the store, each cut to start ≤ date ≤ end.

    Raises:
        InputError: a ticker has no row between the dates.
        UnknownNameError, DataError: as `Store.read`.
    """
    bars = list(in_threads(lambda ticker: store.read(ticker).between(start, end), store.require(tickers)))
    empty = [one.ticker for one in bars if not len(one)]
    if empty:
        raise InputError(
            f"{at_most_five(empty)}: no candles between {start or 'the start'} and {end or 'the end'}: "
            "choose other dates or leave the ticker out."
        )
    return Panel.of(bars)
