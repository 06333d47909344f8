"""The store: one Parquet file a ticker, never half-written, safe under several writers."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.candlefile import Record, read_candles, read_record, write_candles
from forecaster.data.continuation import continue_with
from forecaster.data.symbols import file_stem, symbol_of
from forecaster.errors import DataError, ForecasterError, InputError, UnknownNameError
from forecaster.files import outside_errors


@dataclass(frozen=True)
class Change:
    """What a write did: `new`, `updated`, `unchanged`, or `kept` (the old was better), and how many dates came in."""

    status: str
    rows_added: int
    reason: str = ""


class Store:
    """Candles of many tickers in one folder; reading a ticker that another process writes gives old or new, whole."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def tickers(self) -> tuple[str, ...]:
        """All tickers held, in alphabetical order; files that this store did not write are passed over."""
        return tuple(
            sorted(
                symbol
                for path in self.root.glob("*.parquet")
                if (symbol := _symbol(path)) is not None and path.is_file()
            )
        )

    def path(self, ticker: str) -> Path:
        """The file of a ticker, whether it exists or not."""
        return self.root / f"{file_stem(ticker)}.parquet"

    def require(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """The tickers themselves when the store holds all of them.

        Raises:
            UnknownNameError: one is not there.
        """
        for ticker in tickers:
            path = self.path(ticker)
            if _symbol(path) != ticker or not path.is_file():
                raise UnknownNameError("ticker", ticker, self.tickers(), f"To bring it: forecast fetch {ticker}")
        return tuple(tickers)

    def read(self, ticker: str) -> Bars:
        """The candles of a ticker.

        Raises:
            UnknownNameError: the store does not have it.
            DataError: its file is damaged.
        """
        path = self._existing(ticker)
        with self._damage(ticker):
            return read_candles(path, ticker)[0]

    def checked(self, ticker: str) -> Bars:
        """As `read`, and every value is the one that was written: any change by another hand is found.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        path = self._existing(ticker)
        with self._damage(ticker):
            return read_candles(path, ticker, every_value=True)[0]

    def record(self, ticker: str) -> Record:
        """What is known of a ticker, from the file's footer alone.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        path = self._existing(ticker)
        with self._damage(ticker):
            return read_record(path, ticker)

    def write(self, bars: Bars, *, source: str, force: bool = False, part: bool = False) -> Change:
        """Put a ticker's whole history in the place of what is held.

        A history with fewer rows, or one that starts later or ends earlier, does not replace a better one unless
        forced; an equal one leaves the file untouched.

        Args:
            part: such a history is put to what is held instead, where it continues it. The source stays that of what
                is held.

        Raises:
            DataError: there is no candle to write.
            OutsideError: the folder cannot be written.
        """
        if not len(bars):
            raise DataError(f"{bars.ticker}: no candles, expected at least one; the store is as it was.")
        with outside_errors(self.root), self._lock(bars.ticker):
            self._sweep(bars.ticker)
            held = self._held(bars.ticker)
            change = _change(held, bars, force)
            if part and held is not None and change.status == "kept":
                bars, change = _continued(held, bars, change)
                source = self.record(bars.ticker).source
            if change.status in ("new", "updated"):
                write_candles(self.path(bars.ticker), bars, source, self._since(bars.ticker))
        return change

    def problems(self, tickers: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
        """Read every file whole and give (ticker, complaint) for each that is damaged."""
        for ticker in tickers or self.tickers():
            try:
                self.checked(ticker)
            except ForecasterError as error:
                yield ticker, str(error)

    def _since(self, ticker: str) -> str | None:
        """When a ticker that is held came into the store; None for a new one, or one whose file can't tell."""
        try:
            return self.record(ticker).since if self.path(ticker).is_file() else None
        except DataError:
            return None

    def _held(self, ticker: str) -> Bars | None:
        try:
            return self.checked(ticker) if self.path(ticker).is_file() else None
        except DataError:
            return None

    def _existing(self, ticker: str) -> Path:
        path = self.path(ticker)
        if not path.is_file():
            self.require([ticker])
        return path

    def _sweep(self, ticker: str) -> None:
        """Remove what killed writers left; under the ticker's lock nobody else is writing."""
        for left_over in self.root.glob(f".{glob.escape(self.path(ticker).name)}.*.part"):
            left_over.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, ticker: str) -> Iterator[None]:
        from filelock import FileLock

        folder = self.root / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{file_stem(ticker)}.lock"):
            yield

    @contextmanager
    def _damage(self, ticker: str) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError, pa.ArrowException, DataError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(f"{self.path(ticker)} is damaged: {reason.rstrip('.')}. {_remedy(ticker)}") from error


def open_store(root: Path | str) -> Store:
    """An existing store.

    Raises:
        InputError: the folder does not exist or holds no candles.
    """
    store = Store(root)
    if not store.tickers():
        raise InputError(f"{store.root.absolute()} holds no candles: bring some with `forecast fetch --source sample`.")
    return store


def _change(held: Bars | None, bars: Bars, force: bool) -> Change:
    if held is None:
        return Change("new", len(bars))
    if held.same_as(bars):
        return Change("unchanged", 0)
    added = len(np.setdiff1d(bars.dates, held.dates))
    worse = len(bars) < len(held) or bars.dates[0] > held.dates[0] or bars.dates[-1] < held.dates[-1]
    if worse and not force:
        reason = f"the store holds {_extent(held)}, the source gave {_extent(bars)}; --force replaces it"
        return Change("kept", 0, reason)
    return Change("updated", added)


def _continued(held: Bars, given: Bars, kept: Change) -> tuple[Bars, Change]:
    """What is held with the rows that are new, or why it stays as it is."""
    both = continue_with(held, given)
    if isinstance(both, str):
        return held, Change("kept", 0, f"{kept.reason}. They cannot be joined: {both}")
    added = len(both) - len(held)
    return both, Change("updated", added) if added else Change("unchanged", 0)


def _extent(bars: Bars) -> str:
    return f"{len(bars)} rows from {bars.dates[0]} to {bars.dates[-1]}"


def _remedy(ticker: str) -> str:
    return f"Delete it and fetch {ticker} again."


def _symbol(path: Path) -> str | None:
    try:
        return symbol_of(path.stem)
    except InputError:
        return None
