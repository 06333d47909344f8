"""The store: one Parquet file per ticker, atomic writes, locked against concurrent writers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.candlefile import Record, read_candles, read_record, write_candles
from forecaster.data.continuation import merge
from forecaster.data.symbols import file_stem, symbol_of
from forecaster.errors import DataError, InputError, UnknownNameError
from forecaster.files import is_refusal, outside_errors, unreadable_errors
from forecaster.printable import printable


@dataclass(frozen=True)
class Change:
    """Outcome of a write: `new`, `updated`, `unchanged` or `kept` (the old history is better), and dates added."""

    status: str
    rows_added: int
    reason: str = ""


class Store:
    """Candles of many tickers in one folder; concurrent readers see the complete old or the complete new file.

    The first write lists what killed writers left before; each write then removes what its own ticker has of it.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def tickers(self) -> tuple[str, ...]:
        """All stored tickers, sorted; files not written by this store are ignored."""
        return tuple(sorted(self._found()))

    def holds(self, ticker: str) -> bool:
        """Whether a ticker is stored; as fast in a store of thousands as in one of five."""
        try:
            path = self.path(ticker)
        except InputError:  # a model file may name anything
            return False
        return _symbol(path) == ticker and path.is_file()

    def is_empty(self) -> bool:
        """Whether no ticker is stored."""
        return next(self._found(), None) is None

    def path(self, ticker: str) -> Path:
        """Path of a ticker's file, which may not exist."""
        return self.root / f"{file_stem(ticker)}.parquet"

    def state(self, ticker: str) -> str:
        """Inode, size and time of a ticker's file, which every write changes; `missing` without one."""
        try:
            state = os.stat(f"{self.root}/{file_stem(ticker)}.parquet")  # noqa: PTH116  # a third of pathlib's time
        except (OSError, InputError):
            return "missing"
        return f"{state.st_ino} {state.st_size} {state.st_mtime_ns}"

    def require(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """Return `tickers` if the store has all of them.

        Raises:
            UnknownNameError: one is missing.
        """
        for ticker in tickers:
            if not self.holds(ticker):
                raise UnknownNameError("ticker", ticker, self.tickers(), f"To fetch it: forecast fetch {ticker}")
        return tuple(tickers)

    def read(self, ticker: str) -> Bars:
        """The candles of a ticker.

        Raises:
            UnknownNameError: the store does not have it.
            DataError: its file is damaged.
            OutsideError: the system does not let it be read; it may be whole.
        """
        path = self._existing(ticker)
        with self._damage_errors(ticker):
            return read_candles(path, ticker)

    def held(self, ticker: str) -> Bars | None:
        """As `read`, but None if the store does not have the ticker, or its file is damaged."""
        if not self.holds(ticker):
            return None
        try:
            return self.read(ticker)
        except (UnknownNameError, DataError):
            return None

    def checked(self, ticker: str) -> Bars:
        """As `read`, but also verifies the checksum of all values, which detects manual edits.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        path = self._existing(ticker)
        with self._damage_errors(ticker):
            return read_candles(path, ticker, every_value=True)

    def record(self, ticker: str) -> Record:
        """Metadata of a ticker, read from the file's footer only.

        Raises:
            UnknownNameError, DataError: as `read`.
        """
        path = self._existing(ticker)
        with self._damage_errors(ticker):
            return read_record(path, ticker)

    def write(self, bars: Bars, *, source: str, force: bool = False, part: bool = False) -> Change:
        """Store a ticker's whole history.

        A history with fewer rows, a later start or an earlier end does not replace the stored one unless forced; an
        equal one leaves the file untouched.

        Args:
            part: append such a history to the stored one if it continues it; the recorded source stays the same.

        Raises:
            DataError: there is no candle to write.
            OutsideError: the folder cannot be written.
        """
        if not len(bars):
            raise DataError(f"{bars.ticker}: no candles, expected at least one; the store is unchanged.")
        with outside_errors(self.root), self._lock(bars.ticker):
            self._sweep(bars.ticker)
            # Read under the lock: another process may have written meanwhile. A damaged file counts as none.
            stored = self._read_stored(bars.ticker)
            change = _change(stored, bars, force)
            if part and stored is not None and change.status == "kept":
                bars, change = _append(stored, bars, change)
                source = self.record(bars.ticker).source
            if change.status in ("new", "updated"):
                write_candles(self.path(bars.ticker), bars, source, self._since(bars.ticker))
        return change

    def _found(self) -> Iterator[str]:
        """Stored tickers, in the folder's order."""
        for path in self.root.glob("*.parquet"):
            if (symbol := _symbol(path)) is not None and path.is_file():
                yield symbol

    def _since(self, ticker: str) -> str | None:
        """When a ticker was first stored; None if it is new or its file is damaged."""
        try:
            return self.record(ticker).since if self.path(ticker).is_file() else None
        except DataError:
            return None

    def _read_stored(self, ticker: str) -> Bars | None:
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
        """Remove temporary files of killed writers; safe because the caller holds the ticker's lock."""
        for left_over in self._left_over.pop(self.path(ticker).name, ()):
            left_over.unlink(missing_ok=True)

    @cached_property
    def _left_over(self) -> dict[str, list[Path]]:
        """Temporary files by the name of the file they were to become; listed once: a folder may hold thousands."""
        found: dict[str, list[Path]] = {}
        for path in self.root.glob(".*.part"):
            found.setdefault(path.name[1:].rsplit(".", 2)[0], []).append(path)
        return found

    @contextmanager
    def _lock(self, ticker: str) -> Iterator[None]:
        from filelock import FileLock

        folder = self.root / ".locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{file_stem(ticker)}.lock"):
            yield

    @contextmanager
    def _damage_errors(self, ticker: str) -> Iterator[None]:
        import pyarrow as pa

        with unreadable_errors(self.path(ticker)):
            try:
                yield
            except (
                OSError,
                ValueError,
                LookupError,
                TypeError,
                ArithmeticError,
                pa.ArrowException,
                DataError,
            ) as error:
                if is_refusal(error):
                    raise
                reason = printable(str(error).splitlines()[0]) if str(error) else type(error).__name__
                raise DataError(f"{self.path(ticker)} is damaged: {reason.rstrip('.')}. {_remedy(ticker)}") from error


def open_store(root: Path | str) -> Store:
    """An existing store.

    Raises:
        InputError: the folder does not exist or holds no candles.
    """
    store = Store(root)
    if store.is_empty():
        raise InputError(f"{store.root.absolute()} holds no candles: fetch some with `forecast fetch --source sample`.")
    return store


def _change(stored: Bars | None, bars: Bars, force: bool) -> Change:
    if stored is None:
        return Change("new", len(bars))
    if stored.same_as(bars):
        return Change("unchanged", 0)
    added = len(np.setdiff1d(bars.dates, stored.dates))
    worse = len(bars) < len(stored) or bars.dates[0] > stored.dates[0] or bars.dates[-1] < stored.dates[-1]
    if worse and not force:
        reason = f"the store holds {_extent(stored)}, the source gave {_extent(bars)}; --force replaces it"
        return Change("kept", 0, reason)
    return Change("updated", added)


def _append(stored: Bars, fresh: Bars, kept: Change) -> tuple[Bars, Change]:
    """The stored history plus the new rows, or why nothing was appended."""
    both = merge(stored, fresh)
    if isinstance(both, str):
        return stored, Change("kept", 0, f"{kept.reason}. They cannot be merged: {both}")
    added = len(both) - len(stored)
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
