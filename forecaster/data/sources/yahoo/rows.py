"""An answer of Yahoo's → raw rows, without what is not settled yet."""

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
_FEW, _FEW_BAD = 100, 0.5
"""Of so few recent rows more may be bad than of a history before they are refused: one of ten is not a pattern."""


def bars_of(answer: Answer, ticker: str, now: dt.datetime, calendar: str | None = None) -> tuple[Bars, tuple[str, ...]]:
    """The settled candles of an answer, and a sentence for each rule that changed something.

    Args:
        calendar: what the store has of it, for an exchange that is not known here.

    Raises:
        YahooError: it is another ticker's, holds no price, lacks the adjusted closes, or too much of it is incoherent.
    """
    _check_symbol(answer, ticker)
    if not len(answer.frame):
        raise YahooError("sent an answer without prices", "wait")
    notes: list[str] = []
    rows = _rows(answer, ticker, notes, calendar)
    keep = _settled(answer, rows, now, notes)
    rows = _taken(rows, keep)
    if not np.isfinite(rows.columns["close"]).any():
        raise YahooError("sent rows without a single close", "wait")
    bars, repairs = _cleaned(rows)
    _check_adjusted(bars)
    return bars, (*notes, *repairs)


def _cleaned(rows: RawRows) -> tuple[Bars, tuple[str, ...]]:
    try:
        return clean(rows, _most_bad(len(rows.dates)))
    except DataError as error:
        reason = str(error).removeprefix(f"{rows.ticker}: ").rstrip(".")
        raise YahooError(f"sent rows that cannot be used: {reason}", "once") from error


def _most_bad(rows: int) -> float:
    return _FEW_BAD if rows < _FEW else MOST_BAD


def _check_symbol(answer: Answer, ticker: str) -> None:
    symbol = answer.said("symbol")
    if symbol is not None and str(symbol).upper() != ticker:
        raise YahooError(f"answered with the data of {symbol}", "once", "Nothing was taken; check the symbol.")


def _rows(answer: Answer, ticker: str, notes: list[str], held: str | None) -> RawRows:
    # Yahoo fills a missing adjusted close in later: a guess would stay in the store until then.
    lost = (answer.frame["Adj Close"].isna() & answer.frame["Close"].notna()).to_numpy(bool)
    lost = lost & (lost.mean() <= _most_bad(len(lost)))  # more is no slip of today: `clean` says what becomes of them
    if lost.any():
        what = "row" if lost.sum() == 1 else "rows"
        notes.append(f"{int(lost.sum())} {what} without an adjusted close dropped")
    frame = answer.frame[~lost]
    columns = {name: frame[theirs].to_numpy(np.float64) for name, theirs in _COLUMNS.items()}
    dates = pd.DatetimeIndex(frame.index).tz_localize(None).to_numpy().astype("datetime64[D]")
    exchange, kind = answer.said("exchangeName"), answer.said("instrumentType")
    calendar = calendar_of(ticker, exchange, kind)
    if calendar is None:
        calendar = held if held not in (None, WEEKDAYS) else week_of(dates)
        week = "the weekdays" if calendar == WEEKDAYS else f"the week of its candles, {calendar}"
        notes.append(f"Yahoo's exchange {exchange!r} is not known here: its sessions are taken to be {week}")
    return RawRows(
        ticker=ticker,
        dates=dates,
        columns=columns,
        currency=str(answer.said("currency") or "USD"),
        calendar=calendar,
        timezone=str(answer.said("exchangeTimezoneName")),
    )


def _settled(answer: Answer, rows: RawRows, now: dt.datetime, notes: list[str]) -> np.ndarray:
    """Where a row's session is over: before the exchange's today, or today after its close."""
    today = np.datetime64(now.astimezone(_zone(rows.timezone)).date(), "D")
    keep: np.ndarray = rows.dates < today
    ends = answer.said("currentTradingPeriod", "regular", "end")
    if ends is not None and now.timestamp() >= _seconds(ends):
        keep |= rows.dates == today
    left = int((~keep).sum())
    if left:
        what = "candle" if left == 1 else "candles"
        notes.append(f"unfinished {what} of {rows.dates[np.argmin(keep)]} left out")
    return keep


def _check_adjusted(bars: Bars) -> None:
    pays = bool((bars.dividend[1:] > 0).any())
    if pays and np.array_equal(bars.adj_close, bars.close):
        raise YahooError("sent dividends but no adjusted closes", "wait", "Nothing was taken; try again later.")


def _taken(rows: RawRows, keep: np.ndarray) -> RawRows:
    columns = {name: column[keep] for name, column in rows.columns.items()}
    return RawRows(rows.ticker, rows.dates[keep], columns, rows.currency, rows.calendar, rows.timezone)


def _zone(name: str) -> dt.tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise YahooError(f"names a time zone that does not exist ({name})", "once") from None


def _seconds(moment: object) -> float:
    """The client turns Unix seconds into timestamps, but not always."""
    timestamp = getattr(moment, "timestamp", None)
    return float(timestamp()) if timestamp is not None else float(str(moment))
