"""Incremental updates: request only new sessions, and detect when Yahoo has changed the stored ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.quality import missing_sessions
from forecaster.data.sources.yahoo.faults import YahooError

OVERLAP = 10
"""Stored sessions to request again: a rewritten history shows in them."""

FILLED_LATER = np.timedelta64(731, "D")
"""Yahoo may send a null today and the candle weeks later: an update starts at the first missing session of this period.
Older gaps wait for a full download; otherwise every update would be one."""

MOVED = 1e-5
"""Relative tolerance: smaller price differences are rounding, larger ones a revision."""

_PRICES = ("open", "high", "low", "close")


def overlap_start(known: Bars) -> np.datetime64:
    """The first session to request again."""
    start: np.datetime64 = known.dates[-min(OVERLAP, len(known))]
    lost = missing_sessions(known)
    lost = lost[lost > known.dates[-1] - FILLED_LATER]
    return min(start, lost[0]) if len(lost) else start


def rewrite_reason(known: Bars, fresh: Bars) -> str | None:
    """Why the whole history must be fetched again; None if the new rows can be appended."""
    old, new = _shared(known, fresh)
    if not len(old):
        return "none of the last sessions is in the response"
    split = (new.split != 1) & (new.split != old.split)
    later = fresh.between(start=known.dates[-1] + np.timedelta64(1, "D"))
    if split.any():
        return _split(new, int(np.argmax(split)))
    if (later.split != 1).any():
        return _split(later, int(np.argmax(later.split != 1)))
    for name in _PRICES:
        moved = _differs(getattr(old, name), getattr(new, name))
        if moved.any():
            return f"prices were revised ({name} of {new.dates[np.argmax(moved)]})"
    if _differs(old.adj_close, new.adj_close).any():
        return "a dividend or a correction changed the adjusted closes"
    return None


def merge(known: Bars, fresh: Bars) -> tuple[Bars, tuple[str, ...]]:
    """Merge new rows into the stored history; rows that differ only by rounding stay as stored."""
    old, new = _shared(known, fresh)
    same = np.ones(len(old), bool)
    for name in COLUMNS:
        mine, theirs = getattr(old, name), getattr(new, name)
        same &= ~_differs(mine, theirs) if name in (*_PRICES, "adj_close") else mine == theirs
    keep_known = ~np.isin(known.dates, old.dates[~same])
    take_fresh = ~np.isin(fresh.dates, old.dates[same])
    dates = np.concatenate([known.dates[keep_known], fresh.dates[take_fresh]])
    order = np.argsort(dates, kind="stable")
    columns = {
        name: np.concatenate([getattr(known, name)[keep_known], getattr(fresh, name)[take_fresh]])[order]
        for name in COLUMNS
    }
    bars = Bars(fresh.ticker, fresh.currency, fresh.calendar, fresh.timezone, dates[order], **columns)
    return bars, _missing(known, fresh)


def check_not_worse(known: Bars, fresh: Bars) -> None:
    """Reject a whole history without adjusted closes if the stored one has them.

    Raises:
        YahooError: the adjusted closes are missing.
    """
    unadjusted = np.array_equal(fresh.adj_close, fresh.close)
    if unadjusted and not np.array_equal(known.adj_close, known.close):
        raise YahooError("sent no adjusted closes, which the store has", "backoff", "The stored history is kept.")


def _shared(known: Bars, fresh: Bars) -> tuple[Bars, Bars]:
    """Both histories, limited to their common dates."""
    return _on(known, fresh.dates), _on(fresh, known.dates)


def _on(bars: Bars, dates: np.ndarray) -> Bars:
    keep = np.isin(bars.dates, dates)
    return replace(bars, dates=bars.dates[keep], **{name: getattr(bars, name)[keep] for name in COLUMNS})


def _differs(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    moved: np.ndarray = np.abs(new - old) > MOVED * np.abs(old)
    return moved


def _split(bars: Bars, row: int) -> str:
    return f"a split of {bars.split[row]:g} on {bars.dates[row]}"


def _missing(known: Bars, fresh: Bars) -> tuple[str, ...]:
    asked = known.between(start=fresh.dates[0])
    lost = int((~np.isin(asked.dates, fresh.dates)).sum())
    what = "candle" if lost == 1 else "candles"
    return (f"{lost} {what} kept that Yahoo no longer sends",) if lost else ()
