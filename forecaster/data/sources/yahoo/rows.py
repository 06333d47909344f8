"""Yahoo response → validated bars, without unfinished candles."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from forecaster.data.bars import Bars
from forecaster.data.calendars import WEEKDAYS
from forecaster.data.cleaning import MOST_BAD, RawRows, clean
from forecaster.data.sources.yahoo.client import Answer
from forecaster.data.sources.yahoo.faults import YahooError
from forecaster.data.sources.yahoo.places import calendar_of
from forecaster.data.week import week_of
from forecaster.errors import DataError
from forecaster.printable import quoted

_COLUMNS = {
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
    "adj_close": "Adj Close",
    "volume": "Volume",
    "dividend": "Dividends",
    "split": "Stock Splits",
}
_LONGEST = 32
"""Characters of an exchange, a kind or a currency."""

_FEW, _FEW_BAD = 100, 0.5
"""Updates of fewer rows than `_FEW` tolerate a larger share of bad rows: one bad row of ten is not a pattern."""


def bars_of(answer: Answer, ticker: str, now: dt.datetime, calendar: str | None = None) -> tuple[Bars, tuple[str, ...]]:
    """The finished candles of a response, and a note per cleaning rule that changed something.

    Args:
        calendar: the stored calendar, used if the exchange code is unknown.

    Raises:
        YahooError: the response is for another ticker, has no prices or no adjusted closes, or too many bad rows.
    """
    _check_symbol(answer, ticker)
    if not len(answer.frame):
        raise YahooError("sent a response without prices", "backoff")
    notes: list[str] = []
    rows = _rows(answer, ticker, notes, calendar)
    keep = _finished(answer, rows, now, notes)
    rows = _select(rows, keep)
    if not np.isfinite(rows.columns["close"]).any():
        raise YahooError("sent rows without a single close", "backoff")
    bars, repairs = _clean(rows)
    _check_adjusted(bars)
    return bars, (*notes, *repairs)


def _clean(rows: RawRows) -> tuple[Bars, tuple[str, ...]]:
    try:
        return clean(rows, _most_bad(len(rows.dates)))
    except DataError as error:
        reason = str(error).removeprefix(f"{rows.ticker}: ").rstrip(".")
        raise YahooError(f"sent unusable rows: {reason}", "once") from error


def _most_bad(rows: int) -> float:
    return _FEW_BAD if rows < _FEW else MOST_BAD


def _check_symbol(answer: Answer, ticker: str) -> None:
    symbol = answer.meta_value("symbol")
    if symbol is not None and str(symbol).upper() != ticker:
        raise YahooError(f"sent the data of {quoted(symbol)}", "once", "Nothing was stored; check the symbol.")


def _rows(answer: Answer, ticker: str, notes: list[str], stored: str | None) -> RawRows:
    # Yahoo fills in a missing adjusted close later; until then a guess would stay in the store.
    lost = (answer.frame["Adj Close"].isna() & answer.frame["Close"].notna()).to_numpy(bool)
    lost = lost & (lost.mean() <= _most_bad(len(lost)))  # with more, `clean` decides
    if lost.any():
        what = "row" if lost.sum() == 1 else "rows"
        notes.append(f"{int(lost.sum())} {what} without an adjusted close dropped")
    frame = answer.frame[~lost]
    columns = {name: frame[theirs].to_numpy(np.float64) for name, theirs in _COLUMNS.items()}
    dates = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy().astype("datetime64[D]")
    exchange, kind = _text(answer, "exchangeName"), _text(answer, "instrumentType")
    calendar = calendar_of(ticker, exchange, kind)
    if calendar is None:
        calendar = stored if stored not in (None, WEEKDAYS) else week_of(dates)
        week = "weekdays" if calendar == WEEKDAYS else f"the weekdays of its candles, {calendar}"
        notes.append(f"Yahoo's exchange {exchange!r} is unknown: its sessions are assumed to be {week}")
    return RawRows(
        ticker=ticker,
        dates=dates,
        columns=columns,
        currency=_text(answer, "currency") or "USD",
        calendar=calendar,
        timezone=str(answer.meta_value("exchangeTimezoneName")),
    )


def _text(answer: Answer, name: str) -> str | None:
    """A value of the response's metadata that should be a short text; None if it is anything else."""
    value = answer.meta_value(name)
    return value if isinstance(value, str) and len(value) <= _LONGEST else None


def _finished(answer: Answer, rows: RawRows, now: dt.datetime, notes: list[str]) -> np.ndarray:
    """Mask of rows whose session is over: dated before today at the exchange, or today and after the close."""
    today = np.datetime64(now.astimezone(_zone(rows.timezone)).date(), "D")
    keep: np.ndarray = rows.dates < today
    ends = answer.meta_value("currentTradingPeriod", "regular", "end")
    if ends is not None and now.timestamp() >= _seconds(ends):
        keep |= rows.dates == today
    left = int((~keep).sum())
    if left:
        what = "candle" if left == 1 else "candles"
        notes.append(f"unfinished {what} of {rows.dates[np.argmin(keep)]} skipped")
    return keep


def _check_adjusted(bars: Bars) -> None:
    pays = bool((bars.dividend[1:] > 0).any())
    if pays and np.array_equal(bars.adj_close, bars.close):
        raise YahooError("sent dividends but no adjusted closes", "backoff", "Nothing was stored; try again later.")


def _select(rows: RawRows, keep: np.ndarray) -> RawRows:
    columns = {name: column[keep] for name, column in rows.columns.items()}
    return RawRows(rows.ticker, rows.dates[keep], columns, rows.currency, rows.calendar, rows.timezone)


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name such as .. or of 10,000 letters
        raise YahooError(f"sent an unknown time zone ({quoted(name)})", "once") from None


def _seconds(moment: object) -> float:
    """Unix seconds; the client converts some of them to timestamps, not all."""
    timestamp = getattr(moment, "timestamp", None)
    return float(timestamp()) if timestamp is not None else float(str(moment))
