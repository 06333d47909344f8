"""What is coherent and yet looks wrong in a history: flagged, never changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.data import adjustments, calendars
from forecaster.data.bars import Bars

JUMP = 50.0
"""A close this many times the day before's, or less than one such part, is a slip of units (cents, ×100)."""

GAP = np.timedelta64(7, "D")
"""Longer than any closure of most exchanges; where one closed longer, its calendar knows."""

FROZEN = 10
"""So many last candles alike, without volume, are repetitions, not trading."""


@dataclass(frozen=True)
class Oddity:
    """`kind` is `jump`, `split`, `gap`, `frozen` or `stale`; `text` says where and what."""

    kind: str
    text: str


def oddities(bars: Bars) -> list[Oddity]:
    """Jumps, splits, gaps and a frozen end, each kind once with its first place and how many there are."""
    return [*_jumps(bars), *_splits(bars), *_gaps(bars), *_frozen(bars)]


def stale(bars: Bars, today: np.datetime64) -> list[Oddity]:
    """Whether the history ends more than `GAP` before today although the exchange was open since."""
    last = bars.dates[-1]
    if today - last <= GAP:
        return []
    missed = len(calendars.sessions_between(bars.calendar, last, today))
    if missed < 2:
        return []
    return [Oddity("stale", f"stale: the last candle is of {last}, {missed} sessions before {today}")]


def behind(last: np.datetime64, others: np.datetime64) -> bool:
    """Whether a history ends more than `GAP` before the others of its exchange do."""
    return bool(others - last > GAP)


def _jumps(bars: Bars) -> list[Oddity]:
    if len(bars) < 2:
        return []
    ratio = bars.close[1:] / bars.close[:-1]
    at = np.flatnonzero((ratio >= JUMP) | (ratio <= 1 / JUMP)) + 1
    if not len(at):
        return []
    first = at[0]
    way = "up" if bars.close[first] > bars.close[first - 1] else "down"
    text = f"close jumps {way} from {bars.close[first - 1]:g} to {bars.close[first]:g} on {bars.dates[first]}"
    return [Oddity("jump", text + _more(len(at)))]


def _splits(bars: Bars) -> list[Oddity]:
    """Splits of which the prices know nothing, or prices that jump as after a split of which there is no word."""
    found = adjustments.mismatches(bars.close, bars.adj_close, bars.split)
    found += adjustments.unexplained(bars.open, bars.close, bars.adj_close, bars.split)
    return [Oddity("split", adjustments.described(found[0], bars.dates) + _more(len(found)))] if found else []


def _gaps(bars: Bars) -> list[Oddity]:
    wide = np.flatnonzero(np.diff(bars.dates) > GAP)
    real = [at for at in wide if len(calendars.sessions_between(bars.calendar, bars.dates[at], bars.dates[at + 1])) > 1]
    if not real:
        return []
    at = real[0]
    return [Oddity("gap", f"no candle between {bars.dates[at]} and {bars.dates[at + 1]}" + _more(len(real)))]


def _frozen(bars: Bars) -> list[Oddity]:
    if len(bars) < FROZEN:
        return []
    tail = bars.ohlc[-FROZEN:]
    if not ((tail == tail[0]).all() and (bars.volume[-FROZEN:] == 0).all()):
        return []
    return [Oddity("frozen", f"the last {FROZEN} candles, up to {bars.dates[-1]}, repeat one price without volume")]


def _more(count: int) -> str:
    return f" and {count - 1} more such" if count > 1 else ""
