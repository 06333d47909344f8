"""A table of candles in any known format → raw rows per ticker, on exchange-local days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecaster.axes import Shaped
from forecaster.data.bars import COLUMNS
from forecaster.data.cleaning import RawRows
from forecaster.data.frequency import refuse_intraday, resample
from forecaster.data.sources.columns import REQUIRED, choose, fold
from forecaster.data.sources.dates import Dates, read_dates
from forecaster.data.sources.datewords import Stamps
from forecaster.data.sources.days import exchange_time
from forecaster.data.sources.faults import Faults, quote_value
from forecaster.data.sources.numbers import Numbers, gaps, read_numbers
from forecaster.data.sources.tickers import check_one_ticker, read_tickers, ticker_column_note
from forecaster.errors import DataError, at_most_five

_NASDAQ = "close_last"  # NASDAQ's own export, with dates as mm/dd/yyyy


_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Hints:
    """User options for reading a table.

    Args:
        columns: field → column name, as returned by `check_fields`.
        date_format: `strftime` format.
        daily: resample intraday to daily candles.
        comma: whether a comma is the decimal mark if the numbers are ambiguous.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    daily: bool = False
    comma: bool = False


@dataclass(frozen=True)
class Table:
    """Parsed columns and their errors.

    Args:
        origin: the file, for messages.
        tickers: ticker of each row; None without a ticker column.
        label: name of the ticker column.
        unread: the other columns, unparsed.
    """

    origin: str
    tickers: Shaped[np.ndarray, " row"] | None
    stamps: Stamps
    columns: dict[str, np.ndarray]
    faults: Faults
    unread: pd.DataFrame
    daily: bool = False
    notes: tuple[str, ...] = ()
    label: str = ""

    def by_ticker(self) -> Iterator[tuple[str, Shaped[np.ndarray, " row"]]]:
        """Yield each ticker as written and the indices of its rows; one empty name without a ticker column."""
        if self.tickers is None:
            yield "", np.arange(len(self.stamps.wall))
            return
        codes, names = pd.factorize(self.tickers)
        # Sorted by ticker, each one's rows in the file's order, and cut where the ticker changes.
        order = np.argsort(codes, kind="stable")
        for name, places in zip(names, np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True):
            yield str(name), places

    def rows(
        self, ticker: str, places: Shaped[np.ndarray, " row"], currency: str, calendar: str, zone: str
    ) -> tuple[RawRows, tuple[str, ...]]:
        """Raw rows of one ticker, and notes on what was changed.

        Raises:
            DataError: unreadable values, several candles per day, or the wrong calendar.
        """
        problem = self.faults.first(places.tolist())
        if problem:
            raise DataError(f"{self.origin}: {ticker}: {problem}: fix or remove the row.")
        columns = {name: column[places] for name, column in self.columns.items()}
        notes: tuple[str, ...] = ()
        try:
            moments = exchange_time(self.stamps.take(places), calendar, zone)
            check_one_ticker({name: columns[name] for name in _PRICES}, moments, self.unread.iloc[places])
        except DataError as error:
            raise DataError(f"{self.origin}: {ticker}: {error}") from error
        if self.daily:
            moments, columns, notes = resample(ticker, moments, columns)
        else:
            refuse_intraday(ticker, moments)
        return RawRows(ticker, moments.astype("datetime64[D]"), columns, currency, calendar, zone), notes


def read_table(frame: pd.DataFrame, origin: str, hints: Hints) -> Table:
    """Identify and parse the columns of a frame, whose index is the row number in the file.

    Raises:
        DataError: the date or a price column is missing, two columns are the same field, there are no rows, or a whole
            column is unreadable.
    """
    try:
        return _read(frame, origin, hints)
    except DataError as error:
        raise DataError(f"{origin}: {error}") from error


def _read(frame: pd.DataFrame, origin: str, hints: Hints) -> Table:
    found = _fields(frame, hints.columns)
    ours = frame.iloc[:, list(found.values())].set_axis(list(found), axis=1)
    numbers = read_numbers({name: ours[name] for name in COLUMNS if name in found}, hints.comma)
    american = fold(frame.columns[found["close"]]) == _NASDAQ
    dates = read_dates(ours["date"], hints.date_format, american)
    keep = _candles(ours, numbers, np.isnat(dates.stamps.wall))
    others = [place for place in range(frame.shape[1]) if place not in found.values()]
    ours, rest = ours.iloc[keep], frame.iloc[keep, others]
    faults = Faults(ours.index.tolist())
    for number in numbers.values():
        faults.add(number.wrong[keep], number.problem, ours[number.name])
    stamps = dates.stamps.take(keep)
    faults.add(np.isnat(stamps.wall), dates.problem, ours["date"])
    if "time" in found:
        stamps = _add_time_of_day(stamps, ours["time"], "ticker" in found)
    tickers = read_tickers(ours["ticker"], "ticker" in hints.columns) if "ticker" in found else None
    columns = {name: number.values[keep] for name, number in numbers.items()}
    label = str(frame.columns[found["ticker"]]) if tickers is not None else ""
    notes = (*_skipped_note(dates, keep), *(ticker_column_note(rest) if tickers is None else ()))
    return Table(origin, tickers, stamps, columns, faults, rest, hints.daily, notes, label)


def _fields(frame: pd.DataFrame, overrides: Mapping[str, str]) -> dict[str, int]:
    found = choose(list(frame.columns), overrides)
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        names = at_most_five(str(column)[:30] for column in frame.columns) or "no columns"
        raise DataError(
            f"no column for {', '.join(missing)}; found {names}. Rename it, or set it with --column {missing[0]}=NAME."
        )
    return found


def _candles(ours: pd.DataFrame, numbers: Mapping[str, Numbers], undated: np.ndarray) -> np.ndarray:
    """Indices of rows that are candles: not blank, not a remark below the table, not a repeated header.

    Raises:
        DataError: there are none.
    """
    prices = [numbers[name] for name in _PRICES]
    blank = np.all([np.isnan(price.values) & ~price.wrong for price in prices], axis=0)
    header = np.all([price.wrong for price in prices], axis=0) & undated
    if header.any():
        again = [ours[name][header].astype("string").str.strip().map(fold) for name in _PRICES]
        header[header] = np.all([words == words.iloc[0] for words in again], axis=0) & (again[0] != again[1]).to_numpy()
    # A row with a date but no price stays: cleaning drops it and says so.
    keep = np.flatnonzero(~(blank & undated) & ~header)
    if not len(keep):
        raise DataError("it has a header but no rows, expected one per day.")
    return keep


def _skipped_note(dates: Dates, keep: np.ndarray) -> tuple[str, ...]:
    """A note on text below or between the candles."""
    left = np.ones(len(dates.text), bool)
    left[keep] = False
    words = dates.text[left & ~gaps(dates.text)]
    words = words[~words.str.contains(r"^\W*date\W*$", case=False, regex=True)]
    if not len(words):
        return ()
    more = f" and {len(words) - 1} more" if len(words) > 1 else ""
    return (f"row {words.index[0]} is not a candle and was skipped{more}: {quote_value(words.iloc[0])[:60]}",)


def _add_time_of_day(stamps: Stamps, column: pd.Series, several: bool) -> Stamps:
    """Add the time of day from a separate column: `09:30`, `9:30:00`, `93000`, `930`, or `9` for an hour.

    If that column contains dates as well, it is used only if the days alone repeat within a single ticker.
    """
    if (stamps.wall != stamps.wall.astype("datetime64[D]")).any():
        return stamps
    text = column.astype("string").str.strip().str.replace(r"\.0+$", "", regex=True).fillna("")
    if not text.str.fullmatch(r"\d{1,6}|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|").all():
        if several or len(np.unique(stamps.wall)) == len(stamps.wall):
            return stamps
        try:
            other = read_dates(column).stamps
        except DataError:
            return stamps
        return stamps if np.isnat(other.wall).any() else other
    # By the longest text of the column, to six digits: 9 → 090000, 930 → 093000, 93000 → 093000.
    rest = {1: "0000", 2: "0000", 3: "00", 4: "00"}.get(int(text.str.len().max()), "")
    digits = text.where(~text.str.fullmatch(r"\d{1,6}"), (text + rest).str.zfill(6))
    parts = digits.str.extract(r"^(\d{1,2}):?(\d{2}):?(\d{2})?")
    hours, minutes, seconds = (pd.to_numeric(parts[at]).fillna(0).to_numpy(np.int64) for at in range(3))
    clock = (hours * 3600 + minutes * 60 + seconds).astype("timedelta64[s]")
    return Stamps(stamps.wall + clock, stamps.instant + clock)
