"""Panel of many tickers: each on its own sessions, and the [N, T, 4] tensor on the union of dates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from forecaster import mapped
from forecaster.axes import Bool, Float, Float32, Int, Shaped
from forecaster.cores import thread_map
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.store import Store
from forecaster.display import Displayable
from forecaster.errors import InputError, UnknownNameError, at_most_five


@dataclass(frozen=True, eq=False)
class Panel(Displayable):
    """Candles of N tickers in R rows: ticker after ticker, each on its own sessions, ascending.

    Features, lags, context and horizon count rows of one ticker, that is, its sessions. The union grid, with gaps where
    a ticker did not trade, is for export and market means.

    Example: A with 3 sessions and B with 2 → offsets [0, 3, 5], rows A0 A1 A2 B0 B1.

    Args:
        tickers: N symbols.
        offsets: rows `offsets[n]:offsets[n + 1]` belong to ticker n.
        sessions: date of each row, datetime64[D].
        prices: open, high, low, close, adjusted for splits and dividends (see `Bars.adjusted`).
        close: raw close as the source gives it, in the ticker's currency.
        volume: raw volume as the source gives it, in shares.
        currencies: ISO code of each ticker.
        calendars: exchange calendar of each ticker.
        covariates: candles of other tickers, which only become features; they have no rows.
    """

    tickers: tuple[str, ...]
    offsets: Int[np.ndarray, " border"]
    sessions: Shaped[np.ndarray, " row"]
    prices: Float[np.ndarray, "row 4"]
    close: Float[np.ndarray, " row"]
    volume: Float[np.ndarray, " row"]
    currencies: tuple[str, ...]
    calendars: tuple[str, ...]
    covariates: tuple[Bars, ...] = ()

    def __post_init__(self) -> None:
        for name in ("offsets", "sessions", "prices", "close", "volume"):
            array = getattr(self, name).view()  # a view, so that the caller's array stays writable
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, bars: Iterable[Bars], covariates: Sequence[Bars] = ()) -> Panel:
        """Concatenate the candles of several tickers, taken one at a time.

        Raises:
            InputError: no ticker, or one without candles.
        """
        pool = mapped.Pool()
        parts = [_Part.of(one, pool) for one in bars]
        empty = [one.ticker for one in parts if not len(one.dates)]
        if empty or not parts:
            raise InputError(f"{at_most_five(empty) or 'a panel'}: no candles, expected at least one.")
        lengths = [len(one.dates) for one in parts]
        return cls(
            tickers=tuple(one.ticker for one in parts),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            sessions=mapped.concatenate([one.dates for one in parts]),
            prices=mapped.concatenate([one.prices for one in parts]),
            close=mapped.concatenate([one.close for one in parts]),
            volume=mapped.concatenate([one.volume for one in parts]),
            currencies=tuple(one.currency for one in parts),
            calendars=tuple(one.calendar for one in parts),
            covariates=tuple(covariates),
        )

    def __len__(self) -> int:
        return len(self.tickers)

    def __repr__(self) -> str:
        span = f"{self.sessions.min()} to {self.sessions.max()}"
        tickers = f"{len(self)} ticker{'' if len(self) == 1 else 's'}"
        return f"Panel({tickers}: {at_most_five(self.tickers)}; {len(self.sessions):,} candles, {span})"

    @property
    def lengths(self) -> Int[np.ndarray, " ticker"]:
        """Number of sessions of each ticker."""
        return np.diff(self.offsets)

    def rows(self, ticker: str) -> slice:
        """Row range of a ticker.

        Raises:
            UnknownNameError: it is not in the panel.
        """
        if ticker not in self.tickers:
            raise UnknownNameError("ticker", ticker, self.tickers)
        return self.rows_of(self.tickers.index(ticker))

    def rows_of(self, index: int) -> slice:
        """Row range of the ticker at an index."""
        return slice(int(self.offsets[index]), int(self.offsets[index + 1]))

    def until(self, date: np.datetime64) -> Panel:
        """The panel as known at the close of `date`: without later rows and without tickers that start later.

        Covariates lose their later candles too; one that starts later stays, without any.

        Raises:
            InputError: all tickers start later.
        """
        if not np.any(self.sessions <= date):
            raise InputError(f"no candles up to {date}: the first is on {self.sessions.min()}.")
        covariates = tuple(one.between(end=date) for one in self.covariates)
        return replace(self.select(self.sessions <= date), covariates=covariates)

    def rows_since(self, first: Int[np.ndarray, " ticker"]) -> Bool[np.ndarray, " row"]:
        """Row mask: from row `first[n]` on, counted from the start of ticker n."""
        place = np.arange(len(self.sessions)) - self.offsets[self.ticker_of_row]
        return place >= first[self.ticker_of_row]

    def select(self, which: Bool[np.ndarray, " row"]) -> Panel:
        """Select rows by mask; tickers without any remaining row are dropped."""
        lengths = np.add.reduceat(which, self.offsets[:-1]).astype(np.int64)
        some = np.flatnonzero(lengths)
        return Panel(
            tickers=tuple(self.tickers[n] for n in some),
            offsets=np.concatenate([[0], np.cumsum(lengths[some])]),
            sessions=_chosen(self.sessions, which),
            prices=_chosen(self.prices, which),
            close=_chosen(self.close, which),
            volume=_chosen(self.volume, which),
            currencies=tuple(self.currencies[n] for n in some),
            calendars=tuple(self.calendars[n] for n in some),
            covariates=self.covariates,
        )

    def last_rows(self, end: np.datetime64) -> Int[np.ndarray, " ticker"]:
        """Index of each ticker's last row with date ≤ end; `offsets[n] − 1` if it has none."""
        counts = [np.searchsorted(self.sessions[self.rows_of(n)], end, "right") for n in range(len(self))]
        return self.offsets[:-1] + np.array(counts, np.int64) - 1

    @cached_property
    def ticker_of_row(self) -> Int[np.ndarray, " row"]:
        """Index of the ticker that each row belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def of_calendar(self, name: str) -> Bool[np.ndarray, " row"]:
        """Row mask: the tickers of an exchange calendar."""
        return np.repeat(np.array([calendar == name for calendar in self.calendars]), self.lengths)

    @cached_property
    def dates(self) -> Shaped[np.ndarray, " time"]:
        """The union of all tickers' sessions, ascending."""
        days = self.sessions.view(np.int64)
        first = days.min()
        there = np.zeros(days.max() - first + 1, bool)  # one place a day: no sorting of all rows
        there[days - first] = True
        return (np.flatnonzero(there) + first).view(self.sessions.dtype)

    @cached_property
    def observed(self) -> Bool[np.ndarray, "ticker time"]:
        """Mask on the union grid: whether the ticker traded."""
        grid = np.zeros((len(self), len(self.dates)), bool)
        grid[self.ticker_of_row, self.date_of_row] = True
        return grid

    @cached_property
    def ohlc(self) -> Float32[np.ndarray, "ticker time 4"]:
        """The [N, T, 4] tensor of adjusted open, high, low, close; NaN (not filled) where a ticker did not trade."""
        grid = np.full((len(self), len(self.dates), 4), np.nan, np.float32)
        grid[self.ticker_of_row, self.date_of_row] = self.prices
        return grid

    @cached_property
    def quoted(self) -> Float32[np.ndarray, "ticker time 4"]:
        """`ohlc` on the scale of each ticker's last quoted close, which a forecast from that day has too."""
        last = self.offsets[1:] - 1
        factor = self.close[last] / self.prices[last, CLOSE]
        return (self.ohlc * factor[:, None, None]).astype(np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the whole panel: equal data, equal fingerprint."""
        digest = hashlib.sha256("\n".join(self.tickers).encode())
        digest.update("\n".join((*self.currencies, *self.calendars)).encode())
        arrays = (self.offsets, self.sessions, self.prices, self.close, self.volume)
        for array in arrays:
            digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        for one in self.covariates:
            digest.update("\n".join((one.ticker, one.calendar)).encode())
            for array in (one.dates, one.adjusted()):
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        return digest.hexdigest()

    @cached_property
    def date_of_row(self) -> Int[np.ndarray, " row"]:
        """Index of each row's session in `dates`."""
        first, last = self.dates[[0, -1]].astype(np.int64)
        place = np.zeros(last - first + 1, np.int64)
        place[self.dates.astype(np.int64) - first] = np.arange(len(self.dates))
        return place[self.sessions.astype(np.int64) - first]


@dataclass(frozen=True, eq=False)
class _Part:
    """What a panel keeps of a ticker: half as much as its `Bars` hold."""

    ticker: str
    currency: str
    calendar: str
    dates: Shaped[np.ndarray, " time"]
    prices: Float[np.ndarray, "time 4"]
    close: Float[np.ndarray, " time"]
    volume: Float[np.ndarray, " time"]

    @classmethod
    def of(cls, bars: Bars, pool: mapped.Pool) -> _Part:
        prices = pool.keep(bars.adjusted())
        return cls(bars.ticker, bars.currency, bars.calendar, bars.dates, prices, bars.close, bars.volume)


def _chosen(array: np.ndarray, which: Bool[np.ndarray, " row"]) -> np.ndarray:
    """`array[which]`."""
    found = mapped.empty((int(np.count_nonzero(which)), *array.shape[1:]), array.dtype)
    return np.compress(which, array, axis=0, out=found)


def read_panel(
    store: Store,
    tickers: Sequence[str],
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
) -> Panel:
    """Read tickers from the store, each limited to start ≤ date ≤ end.

    Raises:
        InputError: a ticker has no candles between the dates.
        UnknownNameError, DataError: as `Store.read`.
    """
    names, lengths = store.require(tickers), []

    def read() -> Iterator[Bars]:
        for bars in thread_map(lambda ticker: store.read(ticker).between(start, end), names):
            lengths.append(len(bars))
            yield bars

    try:
        return Panel.of(read())
    except InputError:
        empty = [ticker for ticker, length in zip(names, lengths, strict=False) if not length]
        if not empty:
            raise
        raise InputError(
            f"{at_most_five(empty)}: no candles between {start or 'the start'} and {end or 'the end'}: "
            "choose other dates or omit the ticker."
        ) from None
