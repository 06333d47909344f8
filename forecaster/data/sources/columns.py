"""How the world spells candle columns, and pandas frames → raw rows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from forecaster.data.bars import COLUMNS
from forecaster.data.cleaning import RawRows
from forecaster.errors import DataError, at_most_five

_SPELLINGS = {
    "date": ("date", "timestamp", "datetime", "time", "day"),
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


def recognise(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Rename the columns to ours and drop the others.

    Yahoo's (`Adj Close`), Stooq's (`<OPEN>`), Alpha Vantage's (`1. open`, `adjusted_close`) in any case.

    Raises:
        DataError: a price or the date is missing, or two columns mean the same.
    """
    frame = _flattened(frame)
    known = {column: _NAMES[key] for column in frame.columns if (key := _folded(str(column))) in _NAMES}
    # Stooq has both a DATE and a TIME, Alpha Vantage only a timestamp.
    if sum(name == "date" for name in known.values()) > 1:
        known = {column: name for column, name in known.items() if name != "date" or _folded(str(column)) == "date"}
    missing = [name for name in _REQUIRED if name not in known.values()]
    if missing:
        found = at_most_five(frame.columns) or "no columns"
        raise DataError(f"{origin}: no column for {', '.join(missing)}; found {found}. Name it so and try again.")
    if len(set(known.values())) < len(known):
        twice = sorted(name for name in known.values() if list(known.values()).count(name) > 1)
        raise DataError(f"{origin}: two columns mean {twice[0]}: remove one.")
    return frame[list(known)].rename(columns=known)


def raw_rows(frame: pd.DataFrame, ticker: str, origin: str, currency: str, calendar: str, timezone: str) -> RawRows:
    """A recognised frame of one ticker → raw rows.

    Raises:
        DataError: a date or a number that cannot be read; the message names row and column.
    """
    columns = {name: _numbers(frame[name], ticker, origin) for name in COLUMNS if name in frame.columns}
    dates = _dates(frame["date"], ticker, origin)
    return RawRows(ticker, dates, columns, currency, calendar, timezone)


def _folded(column: str) -> str:
    """`1. Open`, `<OPEN>` and `Adj Close` → `open`, `open` and `adj_close`."""
    bare = re.sub(r"^\d+\.\s*", "", column.strip().strip("<>").lower())
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def _flattened(frame: pd.DataFrame) -> pd.DataFrame:
    """Undo the two extra header rows that `yfinance.download(…).to_csv(…)` writes for one ticker."""
    if isinstance(frame.index, pd.DatetimeIndex) or frame.index.name is not None:
        frame = frame.reset_index()
    if len(frame) < 2 or _folded(str(frame.columns[0])) != "price" or frame.iloc[0, 0] != "Ticker":
        return frame
    ticker = str(frame.iloc[0, 1])
    body = frame.iloc[2:].rename(columns={frame.columns[0]: "date"})
    return body.assign(ticker=ticker)


def _numbers(column: pd.Series, ticker: str, origin: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() & column.notna() & (column.astype(str).str.strip() != "")
    if wrong.any():
        row = column.index[wrong.to_numpy()][0]
        raise DataError(f"{origin}: {ticker}: {column.name} in row {row + 2} is {column[row]!r}, expected a number.")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _dates(column: pd.Series, ticker: str, origin: str) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        local: np.ndarray = column.dt.tz_localize(None).to_numpy().astype("datetime64[D]")
        return local
    text = column.astype(str).str.strip()
    compact = text.str.fullmatch(r"\d{8}(\.0)?")
    iso = text.str.slice(0, 10).where(~compact, text.str.replace(r"^(\d{4})(\d{2})(\d{2}).*$", r"\1-\2-\3", regex=True))
    dates = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        row = column.index[dates.isna().to_numpy()][0]
        raise DataError(f"{origin}: {ticker}: date in row {row + 2} is {column[row]!r}, expected YYYY-MM-DD.")
    days: np.ndarray = dates.to_numpy().astype("datetime64[D]")
    return days
