"""Intraday candles: detect them, and resample to daily candles on request."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Shaped
from forecaster.errors import DataError

RARE = 0.05
"""Up to this share of days with several candles is tolerated in a daily file, such as a live row for today."""

_FEW = 0.5
"""A last day with less than this share of the usual number of candles may be incomplete."""

_DAY = "datetime64[D]"
Columns = dict[str, np.ndarray]


def most_a_day(stamps: Shaped[np.ndarray, " row"]) -> int:
    """Maximum number of candles per day; 1 for a daily file, ignoring a few exceptions (`RARE`)."""
    if ascending(stamps.astype(_DAY)):  # fast path: true of most files
        return 1
    # Distinct times first: a row that is in the file twice is no second candle of its day.
    _, counts = np.unique(np.unique(stamps).astype(_DAY), return_counts=True)
    return int(counts.max()) if (counts > 1).mean() > RARE else 1


def ascending(stamps: Shaped[np.ndarray, " row"]) -> bool:
    """Whether the stamps are strictly increasing."""
    return bool((stamps[1:] > stamps[:-1]).all())


def refuse_intraday(ticker: str, stamps: Shaped[np.ndarray, " row"]) -> None:
    """Reject intraday candles.

    Raises:
        DataError: there are several candles per day.
    """
    most = most_a_day(stamps)
    if most == 1:
        return
    moments = np.unique(stamps)
    at = int(np.argmax(moments[1:].astype(_DAY) == moments[:-1].astype(_DAY)))
    first, second = (str(moment).replace("T", " ")[:16] for moment in moments[at : at + 2])
    raise DataError(
        f"{ticker}: it has up to {most} candles per day (first {first} and {second[11:]}), expected daily candles: "
        "use --resample day to convert them."
    )


def resample(
    ticker: str, stamps: Shaped[np.ndarray, " row"], columns: Columns
) -> tuple[Shaped[np.ndarray, " day"], Columns, tuple[str, ...]]:
    """Resample intraday to daily candles: first open, highest high, lowest low, last close, summed volume.

    Args:
        stamps: exchange-local times, in any order; rows that lack one of the four prices are skipped.
        columns: open, high, low, close; optionally adj_close, volume, dividend and split.

    Returns:
        Days, their columns, and notes on what was done.

    Raises:
        DataError: two different candles with the same time.
    """
    prices = np.stack([columns[name] for name in ("open", "high", "low", "close")])
    keep = np.flatnonzero(~np.isnan(prices).any(axis=0))
    keep = keep[np.argsort(stamps[keep], kind="stable")]
    rows, stamps = {name: column[keep] for name, column in columns.items()}, stamps[keep]
    rows, stamps = _drop_duplicates(ticker, rows, stamps)
    days, starts = np.unique(stamps.astype(_DAY), return_index=True)
    if not len(days):
        return days, rows, ()
    ends = np.append(starts[1:], len(stamps)) - 1
    daily = {name: _aggregate(name, column, starts, ends) for name, column in rows.items()}
    return days, daily, _notes(len(stamps), days, ends - starts + 1)


def _drop_duplicates(ticker: str, rows: Columns, stamps: Shaped[np.ndarray, " row"]) -> tuple[Columns, np.ndarray]:
    repeats = np.concatenate([[False], stamps[1:] == stamps[:-1]]) if len(stamps) else np.zeros(0, bool)
    for name in ("open", "high", "low", "close"):
        differ = repeats & (rows[name] != np.roll(rows[name], 1))
        if differ.any():
            at = int(np.argmax(differ))
            raise DataError(
                f"{ticker}: {str(stamps[at]).replace('T', ' ')} appears twice with different values ({name} "
                f"{rows[name][at - 1]:g} and {rows[name][at]:g}): keep the right one."
            )
    return {name: column[~repeats] for name, column in rows.items()}, stamps[~repeats]


def _aggregate(name: str, column: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """One value per day; day i has rows `starts[i]` to `ends[i]`, inclusive."""
    if name == "open":
        return column[starts]
    if name in ("close", "adj_close"):
        return column[ends]
    if name == "split":
        # Some sources write 0 for no split.
        return np.multiply.reduceat(np.where(column > 0, column, 1.0), starts)
    # reduceat reduces from each start to the next: rows are sorted, so a day's lie side by side.
    if name in ("high", "low"):
        return (np.maximum if name == "high" else np.minimum).reduceat(column, starts)
    return np.add.reduceat(np.nan_to_num(column), starts)  # volume, dividend


def _notes(rows: int, days: Shaped[np.ndarray, " day"], counts: Shaped[np.ndarray, " day"]) -> tuple[str, ...]:
    if counts.max() == 1:
        return ()
    notes = [f"{rows} candles resampled to {len(days)} daily ones"]
    usual = int(np.median(counts))
    if counts[-1] < _FEW * usual:
        notes.append(f"{days[-1]} has {counts[-1]} of the usual {usual} candles: it may be incomplete")
    return tuple(notes)
