"""Wide tables (tickers side by side, as from `yfinance.download`) → long tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecaster.data.sources.columns import meaning

_PRICES = {"open", "high", "low", "close"}


def is_wide(rows: Sequence[Sequence[str]]) -> bool:
    """Whether three header lines are those of a wide table: prices and tickers in any order, then the date name."""
    return bool(rows[2]) and meaning(rows[2][0]) == "date" and len(rows[0]) == len(rows[1]) > 1 and _has_prices(rows)


def _has_prices(rows: Sequence[Sequence[str]]) -> bool:
    return any({meaning(name) for name in row[1:]} >= _PRICES for row in rows[:2])


def to_long(frame: pd.DataFrame, first: Sequence[str], second: Sequence[str]) -> pd.DataFrame:
    """Wide → long: one row per date and ticker; empty rows are dropped.

    Args:
        first, second: the two header rows, without the date column.
    """
    prices, tickers = _levels(first, second)
    parts = []
    for ticker in dict.fromkeys(tickers):
        own = [at for at, name in enumerate(tickers, start=1) if name == ticker]
        part = frame.iloc[:, [0, *own]].set_axis(["date", *(prices[at - 1] for at in own)], axis=1)
        cells = part.iloc[:, 1:]
        parts.append(part[(cells.notna() & (cells != "")).any(axis=1)].assign(ticker=ticker))
    return pd.concat(parts)


def _levels(first: Sequence[str], second: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Prices and tickers of each column, whichever row has which."""
    return (first, second) if {meaning(name) for name in first} >= _PRICES else (second, first)


def wide_tickers(frame: pd.DataFrame) -> tuple[str, ...]:
    """Tickers in the column names of a wide frame, those with empty columns too; none of a long one."""
    if frame.columns.nlevels != 2:
        return ()
    return tuple(dict.fromkeys(_levels(*(list(frame.columns.get_level_values(level)) for level in (0, 1)))[1]))


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert a pandas frame to one long table with rows numbered from 1; index levels become columns.

    The given frame is not modified.
    """
    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex) and frame.index.name is None:
        frame = frame.rename_axis(index="date")
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if isinstance(frame.columns, pd.MultiIndex):
        first, second = (list(frame.columns.get_level_values(level))[1:] for level in (0, 1))
        frame = to_long(frame, first, second)
    return frame.set_axis(range(1, len(frame) + 1))
