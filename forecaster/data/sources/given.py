"""Candles that are already in memory: pandas frames as yfinance, or a notebook, has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.cleaning import clean
from forecaster.data.quality import admit
from forecaster.data.sources.columns import raw_rows, recognise
from forecaster.data.sources.frames import tidy
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, InputError

Frames = pd.DataFrame | Mapping[str, pd.DataFrame]
"""One long frame with a ticker column, yfinance's with tickers side by side, or a frame for each ticker."""


def bars_of(frames: Frames, currency: str, calendar: str) -> list[tuple[Bars, tuple[str, ...]]]:
    """Each ticker's candles, and what was repaired or dropped in them, a sentence each.

    Raises:
        InputError: something else than frames, a symbol or a calendar that is none.
        DataError: columns or rows that cannot be used; the message names ticker and row.
    """
    calendar = calendars.check_calendar(calendar)
    zone = calendars.timezone(calendar)
    found: dict[str, tuple[Bars, tuple[str, ...]]] = {}
    for name, rows in _by_ticker(frames):
        ticker = normalise(name)
        if ticker in found:
            raise DataError(f"{ticker} is given twice: join the two or leave one out.")
        bars, notes = clean(raw_rows(rows, ticker, "the frame", currency, calendar, zone))
        kept, odd = admit(bars)
        found[ticker] = kept, (*notes, *odd)
    if not found:
        raise DataError("no frame was given, expected a DataFrame of candles or a dict of ticker → DataFrame.")
    return list(found.values())


def _by_ticker(frames: Frames) -> Iterator[tuple[str, pd.DataFrame]]:
    if isinstance(frames, Mapping):
        for name, frame in frames.items():
            yield str(name), _recognised(frame, f"the frame of {name}").drop(columns="ticker", errors="ignore")
        return
    long = _recognised(frames, "the frame")
    if "ticker" not in long.columns:
        raise DataError('the frame has no column for ticker: add one, or give a dict: {"AAPL": frame}.')
    names = long["ticker"].astype("string").str.strip().str.upper().fillna("")
    if (names == "").any():
        raise DataError(f"the frame: the ticker in row {long.index[names == ''][0]} is missing, expected one a row.")
    yield from ((str(name), rows) for name, rows in long.groupby(names, sort=False))


def _recognised(frame: object, origin: str) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{origin} is a {type(frame).__name__}, expected a pandas DataFrame of daily candles.")
    return recognise(tidy(frame), origin)
