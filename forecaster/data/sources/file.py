"""File source: one ticker per file, a long table, an archive, or a folder of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.cleaning import clean
from forecaster.data.sources import SOURCES, Delivery, Order, Source, SourceOptions, takes
from forecaster.data.sources.columns import check_fields
from forecaster.data.sources.dates import check_format
from forecaster.data.sources.frames import read_part
from forecaster.data.sources.parts import ENDINGS, Part, is_table, parts_of
from forecaster.data.sources.table import Hints, Table
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, ForecasterError, InputError, OutsideError, UnknownNameError, did_you_mean


class FileSource:
    """Reads a file, or all data files of a folder (not its subfolders)."""

    def __init__(self, options: SourceOptions) -> None:
        if options.path is None:
            raise InputError("--source file needs --path FILE_OR_DIR.")
        self._path = Path(options.path)
        self._files = _data_files(self._path)
        self._currency = options.currency
        self._calendar = options.calendar and calendars.check_calendar(options.calendar)
        self._hints = hints_of(options)

    def deliver(self, order: Order) -> Iterator[Delivery]:
        """Yield each ticker in the files, or each requested one."""
        seen: dict[str, Part] = {}
        unread: list[Delivery] = []
        parts = list(self._parts(unread))
        for part in parts:
            named = order.tickers[0] if len(parts) == len(order.tickers) == 1 else ""
            try:
                table = read_part(part, self._hints)
            except ForecasterError as error:
                unread.append(Delivery((named or part.stem).upper(), failure=error))
                continue
            notes = table.notes
            for written, places in table.by_ticker():
                name = (written or named or part.stem).strip().upper()
                if not order.tickers or name in order.tickers:
                    yield self._deliver_one(part, name, table, places, order, seen, notes)
                    notes = ()
                seen.setdefault(name, part)
        yield from self._failures(order, seen, unread)

    def _parts(self, unread: list[Delivery]) -> Iterator[Part]:
        for file in self._files:
            try:
                yield from parts_of(file)
            except ForecasterError as error:
                unread.append(Delivery(file.stem.upper(), failure=error))

    def _failures(self, order: Order, seen: dict[str, Part], unread: list[Delivery]) -> Iterator[Delivery]:
        """Failures: requested tickers that were not found, and unreadable files, which might have had them."""
        missing = [ticker for ticker in order.tickers if ticker not in seen]
        if missing or not order.tickers:
            yield from unread
        for ticker in missing:
            if ticker not in (delivery.ticker for delivery in unread):
                hint = did_you_mean(ticker, seen).rstrip() or "Check the name."
                yield Delivery(ticker, failure=OutsideError(f"{ticker} is not in {self._path}. {hint}"))

    def _deliver_one(
        self,
        part: Part,
        name: str,
        table: Table,
        places: np.ndarray,
        order: Order,
        seen: dict[str, Part],
        notes: tuple[str, ...],
    ) -> Delivery:
        try:
            ticker = _symbol(part, name, table.label)
            if ticker in seen:
                raise DataError(f"{part}: {ticker} is also in {seen[ticker]}: merge the two files or remove one.")
            bars, more = self._bars(table, ticker, places, order.known(ticker))
            return Delivery(ticker, _limit_dates(bars, order.start, order.end), (*notes, *more), part=not order.full)
        except ForecasterError as error:
            return Delivery(name, failure=error)

    def _bars(self, table: Table, ticker: str, places: np.ndarray, known: Bars | None) -> tuple[Bars, tuple[str, ...]]:
        currency, calendar = place_of(self._currency, self._calendar, known)
        rows, notes = table.rows(ticker, places, currency, calendar, calendars.timezone(calendar))
        bars, repairs = clean(rows)
        return bars, (*notes, *repairs)


@SOURCES.register("file")
@takes("path", "currency", "calendar", "columns", "date_format", "resample")
def file(options: SourceOptions) -> Source:
    """CSV, Parquet, Excel and others at `--path`."""
    return FileSource(options)


def _symbol(part: Part, name: str, label: str) -> str:
    try:
        return normalise(name)
    except InputError as error:
        remedy = "Rename the file, or give one TICKER with one file."
        if label:
            remedy = f"It is in the column {label}: if another column has the symbols, add --column ticker=NAME."
        raise InputError(f"{part}: {error} {remedy}") from error


def hints_of(options: SourceOptions) -> Hints:
    """Validate the user's options for columns, dates and resampling.

    Raises:
        InputError: an invalid field, format or frequency.
    """
    if options.resample not in (None, "day"):
        raise UnknownNameError("frequency", str(options.resample), ["day"])
    date_format = options.date_format and check_format(options.date_format)
    return Hints(check_fields(options.columns), date_format, options.resample == "day")


def place_of(currency: str | None, calendar: str | None, known: Bars | None) -> tuple[str, str]:
    """Currency and calendar: the user's, else the stored ones, else USD and XNYS."""
    if known is not None:
        return currency or known.currency, calendar or known.calendar
    return currency or "USD", calendar or calendars.DEFAULT


def _data_files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(inner for inner in path.iterdir() if inner.is_file() and is_table(inner))
        if not files:
            raise InputError(f"{path.absolute()} contains no {', '.join(ENDINGS)} file.")
        return files
    if not path.is_file():
        raise InputError(f"--path {path.absolute()} does not exist: check the name.")
    if not is_table(path):
        raise InputError(f"--path {path}: expected a file that ends with {', '.join(ENDINGS)}.")
    return [path]


def _limit_dates(bars: Bars, start: np.datetime64 | None, end: np.datetime64 | None) -> Bars:
    part = bars.between(start, end)
    if not len(part):
        raise DataError(
            f"{bars.ticker}: no rows between {start or 'the start'} and {end or 'the end'}, it has {bars.dates[0]} to "
            f"{bars.dates[-1]}: choose other dates."
        )
    return part
