"""In-memory candles: pandas frames, such as from yfinance or a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.cleaning import clean
from forecaster.data.quality import admit
from forecaster.data.sources import SourceOptions
from forecaster.data.sources.file import hints_of, place_of
from forecaster.data.sources.table import Table, read_table
from forecaster.data.sources.wide import tidy, wide_tickers
from forecaster.data.sources.yahoo.places import calendar_of
from forecaster.data.symbols import normalise
from forecaster.errors import DataError, InputError

Frames = pd.DataFrame | Mapping[str, pd.DataFrame]
"""One long frame with a ticker column, yfinance's wide format, or a dict of frames by ticker."""


def bars_of(
    frames: Frames, options: SourceOptions, known: Callable[[str], Bars | None] = lambda _: None
) -> list[tuple[Bars, tuple[str, ...]]]:
    """Each ticker's candles, and a note per repair.

    Args:
        known: returns the stored history of a ticker.

    Raises:
        InputError: not a frame, or an invalid symbol or calendar.
        DataError: unusable columns or rows; the message names ticker and row.
    """
    chosen = options.calendar and calendars.check_calendar(options.calendar)
    found: dict[str, tuple[Bars, tuple[str, ...]]] = {}
    for name, table, places in _by_ticker(frames, options):
        ticker = normalise(name)
        if ticker in found:
            raise DataError(f"{ticker} is given twice: merge the two or omit one.")
        stored = known(ticker)
        by_symbol = calendar_of(ticker, None, None) if stored is None else None
        currency, calendar = place_of(options.currency, chosen or by_symbol, stored)
        rows, notes = table.rows(ticker, places, currency, calendar, calendars.timezone(calendar))
        bars, repairs = clean(rows)
        kept, odd = admit(bars)
        found[ticker] = (kept, (*table.notes, *notes, *repairs, *odd))
    if not found:
        raise DataError("no frame was given, expected a DataFrame of candles or a dict of ticker → DataFrame.")
    return list(found.values())


def named_tickers(frames: Frames) -> frozenset[str]:
    """Tickers that have columns in yfinance's wide format, which keeps empty ones of those it could not download."""
    return frozenset(map(normalise, () if isinstance(frames, Mapping) else wide_tickers(frames)))


def _by_ticker(frames: Frames, options: SourceOptions) -> Iterator[tuple[str, Table, np.ndarray]]:
    hints = hints_of(options)
    if isinstance(frames, Mapping):
        for name, frame in frames.items():
            table = read_table(_tidied(frame, f"the frame of {name}"), f"the frame of {name}", hints)
            yield str(name), table, np.arange(len(table.stamps.wall))
        return
    table = read_table(_tidied(frames, "the frame"), "the frame", hints)
    if table.tickers is None:
        raise DataError('the frame has no ticker column: add one, or pass a dict: {"AAPL": frame}.')
    yield from ((name, table, places) for name, places in table.by_ticker())


def _tidied(frame: object, origin: str) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{origin} is a {type(frame).__name__}, expected a pandas DataFrame of daily candles.")
    return tidy(frame)
