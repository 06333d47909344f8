"""Candles from CSV and Parquet files: one ticker a file, a long table, or a folder of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.cleaning import clean
from forecaster.data.sources import SOURCES, Delivery, Order, Source, SourceOptions, takes
from forecaster.data.sources.columns import raw_rows, recognise
from forecaster.data.sources.frames import CSV, PARQUET, read_frame
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, ForecasterError, InputError, OutsideError, did_you_mean

_ENDINGS = (*CSV, *PARQUET)


class FileSource:
    """Reads a file or every data file of a folder (not of its subfolders)."""

    def __init__(self, options: SourceOptions) -> None:
        if options.path is None:
            raise InputError("--source file needs --path FILE_OR_DIR.")
        self._files = _data_files(options.path)
        self._path = options.path
        self._currency = options.currency
        self._calendar = calendars.check_calendar(options.calendar)

    def deliver(self, order: Order) -> Iterator[Delivery]:
        """Give each ticker of the files, or each that was asked for."""
        held: dict[str, Path] = {}
        unread: list[Delivery] = []
        for file in self._files:
            try:
                groups = self._groups(file, order)
            except ForecasterError as error:
                unread.append(Delivery(self._name(file, order).upper(), failure=error))
                continue
            for name, rows in groups:
                if not order.tickers or name in order.tickers:
                    yield self._one(file, name, rows, order, held)
                held.setdefault(name, file)
        yield from self._rest(order, held, unread)

    def _rest(self, order: Order, held: dict[str, Path], unread: list[Delivery]) -> Iterator[Delivery]:
        """What was asked for and not found, and the files that could not be read (and might have held it)."""
        missing = [ticker for ticker in order.tickers if ticker not in held]
        if missing or not order.tickers:
            yield from unread
        for ticker in missing:
            if ticker not in (delivery.ticker for delivery in unread):
                hint = did_you_mean(ticker, held).rstrip() or "Check the name."
                yield Delivery(ticker, failure=OutsideError(f"{ticker} is not in {self._path}. {hint}"))

    def _groups(self, file: Path, order: Order) -> list[tuple[str, pd.DataFrame]]:
        frame = recognise(read_frame(file), str(file))
        if "ticker" not in frame.columns:
            return [(self._name(file, order).strip().upper(), frame)]
        names = frame["ticker"].astype("string").str.strip().str.upper().fillna("")
        if (names == "").any():
            row = frame.index[names == ""][0]
            raise DataError(f"{file}: the ticker in row {row} is missing, expected a symbol in each row.")
        return [(str(name), rows) for name, rows in frame.groupby(names, sort=False)]

    def _one(self, file: Path, name: str, rows: pd.DataFrame, order: Order, held: dict[str, Path]) -> Delivery:
        try:
            ticker = self._symbol(file, name)
            if ticker in held:
                raise DataError(f"{file}: {ticker} stands in {held[ticker]} as well: join the two files or remove one.")
            bars, notes = self._bars(file, ticker, rows)
            return Delivery(ticker, _cut(bars, order.start, order.end), notes)
        except ForecasterError as error:
            return Delivery(name, failure=error)

    def _symbol(self, file: Path, name: str) -> str:
        try:
            return normalise(name)
        except InputError as error:
            raise InputError(f"{file}: {error} Mend the file or its name, or name one TICKER with one file.") from error

    def _bars(self, file: Path, ticker: str, rows: pd.DataFrame) -> tuple[Bars, tuple[str, ...]]:
        zone = calendars.timezone(self._calendar)
        return clean(raw_rows(rows, ticker, str(file), self._currency, self._calendar, zone))

    def _name(self, file: Path, order: Order) -> str:
        alone = len(self._files) == 1 and len(order.tickers) == 1
        return order.tickers[0] if alone else _stem(file)


@SOURCES.register("file")
@takes("path", "currency", "calendar")
def file(options: SourceOptions) -> Source:
    """CSV or Parquet at `--path`."""
    return FileSource(options)


def _data_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(inner for inner in path.iterdir() if inner.is_file() and _is_data(inner))
        if not files:
            raise InputError(f"{path.absolute()} holds no {', '.join(_ENDINGS)} file.")
        return files
    if not path.is_file():
        raise InputError(f"--path {path.absolute()} does not exist: check the name.")
    if not _is_data(path):
        raise InputError(f"--path {path}: expected a file that ends with {', '.join(_ENDINGS)}.")
    return [path]


def _is_data(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS) and not path.name.startswith(".")


def _stem(path: Path) -> str:
    ending = next(ending for ending in _ENDINGS if path.name.lower().endswith(ending))
    return path.name[: -len(ending)]


def _cut(bars: Bars, start: np.datetime64 | None, end: np.datetime64 | None) -> Bars:
    part = bars.between(start, end)
    if not len(part):
        raise DataError(
            f"{bars.ticker}: no rows between {start or 'the start'} and {end or 'the end'}, it has {bars.dates[0]} to "
            f"{bars.dates[-1]}: choose other dates."
        )
    return part
