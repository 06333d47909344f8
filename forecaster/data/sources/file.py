"""Candles from CSV and Parquet files: one ticker a file, a long table, or a folder of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.cleaning import clean
from forecaster.data.sources import SOURCES, Delivery, Order, Source, SourceOptions
from forecaster.data.sources.columns import raw_rows, recognise
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, ForecasterError, InputError, OutsideError, did_you_mean

_CSV = (".csv", ".txt", ".csv.gz")
_PARQUET = (".parquet", ".pq")


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
        held: set[str] = set()
        for file in self._files:
            yield from self._read(file, order, held)
        for ticker in order.tickers:
            if ticker not in held:
                yield Delivery(
                    ticker,
                    failure=OutsideError(f"{ticker} is not in {self._path}. {did_you_mean(ticker, held)}".rstrip()),
                )

    def _read(self, file: Path, order: Order, held: set[str]) -> Iterator[Delivery]:
        try:
            frame = recognise(_frame(file), str(file))
            if "ticker" in frame.columns:
                groups = [(str(name), rows) for name, rows in frame.groupby("ticker", sort=False)]
            else:
                groups = [(self._name(file, order), frame)]
        except ForecasterError as error:
            yield Delivery(_stem(file), failure=error)
            return
        held.update(name.strip().upper() for name, _ in groups)
        for name, rows in groups:
            yield from self._one(file, name, rows, order)

    def _one(self, file: Path, name: str, rows: pd.DataFrame, order: Order) -> Iterator[Delivery]:
        try:
            ticker = normalise(name)
            if order.tickers and ticker not in order.tickers:
                return
            bars, notes = self._bars(file, ticker, rows)
            yield Delivery(ticker, _cut(bars, order.start, order.end), notes)
        except ForecasterError as error:
            yield Delivery(name, failure=error)

    def _bars(self, file: Path, ticker: str, rows: pd.DataFrame) -> tuple[Bars, tuple[str, ...]]:
        zone = calendars.timezone(self._calendar)
        return clean(raw_rows(rows, ticker, str(file), self._currency, self._calendar, zone))

    def _name(self, file: Path, order: Order) -> str:
        alone = len(self._files) == 1 and len(order.tickers) == 1
        return order.tickers[0] if alone else _stem(file)


@SOURCES.register("file")
def file(options: SourceOptions) -> Source:
    """CSV or Parquet at `--path`."""
    return FileSource(options)


def _data_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(inner for inner in path.iterdir() if inner.is_file() and _is_data(inner))
        if not files:
            raise InputError(f"{path} holds no {', '.join((*_CSV, *_PARQUET))} file.")
        return files
    if not path.is_file():
        raise InputError(f"--path {path} does not exist: check the name.")
    if not _is_data(path):
        raise InputError(f"--path {path}: expected a file that ends with {', '.join((*_CSV, *_PARQUET))}.")
    return [path]


def _is_data(path: Path) -> bool:
    return path.name.lower().endswith((*_CSV, *_PARQUET)) and not path.name.startswith(".")


def _stem(path: Path) -> str:
    ending = next(ending for ending in (".csv.gz", *_CSV, *_PARQUET) if path.name.lower().endswith(ending))
    return path.name[: -len(ending)]


def _frame(path: Path) -> pd.DataFrame:
    try:
        if path.name.lower().endswith(_PARQUET):
            return pd.read_parquet(path)
        return pd.read_csv(path, low_memory=False, skipinitialspace=True)
    except (OSError, ValueError, pd.errors.ParserError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}.") from error


def _cut(bars: Bars, start: np.datetime64 | None, end: np.datetime64 | None) -> Bars:
    part = bars.between(start, end)
    if not len(part):
        raise DataError(f"{bars.ticker}: no rows between {start or 'the start'} and {end or 'the end'}.")
    return part
