"""How the world spells candle columns, and pandas frames → raw rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from forecaster.data.bars import COLUMNS
from forecaster.data.cleaning import RawRows
from forecaster.errors import DataError, at_most_five

_SPELLINGS = {
    "date": ("date", "timestamp", "datetime", "day", "time", "unnamed_0"),
    "ticker": ("ticker", "symbol", "code"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "adj_close": ("adj_close", "adjclose", "adjusted_close", "close_adjusted"),
    "volume": ("volume", "vol"),
    "dividend": ("dividend", "dividends", "dividend_amount", "ex_dividend"),
    "split": ("split", "splits", "stock_splits", "split_coefficient", "split_ratio"),
}
_NAMES = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_REQUIRED = ("date", "open", "high", "low", "close")


def meaning(column: object) -> str | None:
    """What a column holds: one of ours, `date`, `ticker`, or None.

    Yahoo's (`Adj Close`), Stooq's (`<OPEN>`), Alpha Vantage's (`1. open`, `adjusted_close`) in any case.
    """
    return _NAMES.get(_folded(column))


def recognise(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Rename the columns to ours, drop the others, and drop rows in which nothing stands.

    Raises:
        DataError: a price or the date is missing, two columns mean the same, or there is no row.
    """
    columns = [column for column in frame.columns if meaning(column) is not None]
    known = {column: name for column in columns if (name := meaning(column)) is not None}
    dates = [column for column, name in known.items() if name == "date"]
    # Stooq has both a DATE and a TIME, a saved pandas index stands before the dates: the plainest word is meant.
    for column in sorted(dates, key=lambda column: _SPELLINGS["date"].index(_folded(column)))[1:]:
        del known[column]
    missing = [name for name in _REQUIRED if name not in known.values()]
    if missing:
        found = at_most_five(str(column)[:30] for column in frame.columns) or "no columns"
        raise DataError(f"{origin}: no column for {', '.join(missing)}; found {found}. Name it so and try again.")
    twice = sorted(name for name in known.values() if list(known.values()).count(name) > 1)
    twice = twice or sorted({str(column) for column in columns if columns.count(column) > 1})
    if twice:
        raise DataError(f"{origin}: two columns mean {twice[0]}: remove one.")
    ours = frame[list(known)].rename(columns=known)
    filled = ours.drop(columns="ticker", errors="ignore").notna().any(axis=1)
    if not filled.any():
        raise DataError(f"{origin}: it has a header but no rows, expected one a day.")
    return ours if filled.all() else ours[filled]


def raw_rows(frame: pd.DataFrame, ticker: str, origin: str, currency: str, calendar: str, timezone: str) -> RawRows:
    """A recognised frame of one ticker → raw rows; the frame's index tells the row in the file.

    Raises:
        DataError: a date or a number that cannot be read; the message names row and column.
    """
    columns = {name: _numbers(frame[name], ticker, origin) for name in COLUMNS if name in frame.columns}
    dates = _dates(frame["date"], ticker, origin)
    return RawRows(ticker, dates, columns, currency, calendar, timezone)


def _folded(column: object) -> str:
    """`1. Open`, `<OPEN>` and `Adj Close` → `open`, `open` and `adj_close`."""
    bare = re.sub(r"^\d+\.\s*", "", str(column).strip().strip("<>").lower())
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def _numbers(column: pd.Series, ticker: str, origin: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")
    if wrong.any():
        row = column.index[wrong.to_numpy()][0]
        problem = f"{column.name} in row {row} is {_shown(column[row])}"
        raise DataError(f"{origin}: {ticker}: {problem}, expected a number such as 1234.5: mend or remove the row.")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _dates(column: pd.Series, ticker: str, origin: str) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        parsed = column.dt.tz_localize(None)  # the exchange's own day
    else:
        parsed = pd.to_datetime(_iso(column.astype(str).str.strip()), format="%Y-%m-%d", errors="coerce")
    if parsed.isna().any():
        row = column.index[parsed.isna().to_numpy()][0]
        raise DataError(
            f"{origin}: {ticker}: date in row {row} is {_shown(column[row])}, expected YYYY-MM-DD: mend the row."
        )
    days: np.ndarray = parsed.to_numpy().astype("datetime64[D]")
    return days


def _iso(text: pd.Series) -> pd.Series:
    """`20200131`, `31.01.2020` and `2020-01-31 00:00:00-05:00` → `2020-01-31`."""
    plain = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T].*)?")
    odd = text[~plain]
    for pattern, order in (
        (r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$", r"\1-\2-\3"),
        (r"^(\d\d)\.(\d\d)\.(\d{4})$", r"\3-\2-\1"),
    ):
        odd = odd.str.replace(pattern, order, regex=True)
    return pd.concat([text[plain].str.slice(0, 10), odd]).reindex(text.index) if len(odd) else text.str.slice(0, 10)


def _shown(value: object) -> str:
    return "empty" if pd.isna(value) else repr(str(value))  # type: ignore[call-overload]
