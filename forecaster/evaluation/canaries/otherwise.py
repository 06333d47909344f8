"""Candles as they might have been: another future, none at all, or another day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.features.candles import READY_AGE, SCALE_FLOOR

MOST = 5
"""Tickers that a canary looks at."""

_AFTER = 60
"""Candles after a day that are left, to be changed."""


def few(bars: Sequence[Bars], day: np.datetime64, depth: int, length: int) -> list[Bars]:
    """Some tickers of one exchange, spread over the list, with enough candles up to a day and some after it.

    Args:
        depth: candles that a forecast needs.
        length: candles up to the day that are enough to look at.
    """
    needed = max(depth, READY_AGE + 1)
    fit = [one for one in bars if np.sum(one.dates <= day) >= needed and one.dates[-1] > day]
    alike = [one for one in fit if one.calendar == fit[0].calendar]
    chosen = np.unique(np.linspace(0, len(alike) - 1, MOST).astype(int)) if alike else ()
    return [_around(alike[place], day, max(length, needed)) for place in chosen]


def _around(bars: Bars, day: np.datetime64, length: int) -> Bars:
    at = int(np.searchsorted(bars.dates, day, "right"))
    return bars.between(bars.dates[max(at - length, 0)], bars.dates[min(at + _AFTER, len(bars)) - 1])


def another_future(bars: Bars, day: np.datetime64) -> Bars:
    """Every later candle is another: wilder, dearer, on no volume."""
    later = bars.dates > day
    factor = np.where(later, np.exp(np.random.default_rng(0).normal(0.5, 0.2, len(bars))), 1.0)
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close", "adj_close")}
    return replace(bars, **prices, volume=np.where(later, 0.0, bars.volume), split=np.where(later, 2.0, bars.split))


def no_future(bars: Bars, day: np.datetime64) -> Bars:
    """The day's candle is the last one."""
    return bars.between(end=day)


def another_day(bars: Bars, back: int) -> Bars:
    """The candle so many before the last one is wider and ends higher, on twice the volume; all others stay."""
    at = np.arange(len(bars)) == len(bars) - 1 - back
    width = max(float(np.std(np.diff(np.log(bars.adjusted()[-60:, 3])))), SCALE_FLOOR)  # it may not have moved
    shifts = {"high": 2.0, "low": -1.0, "close": 1.0, "adj_close": 1.0}
    prices = {name: getattr(bars, name) * np.where(at, np.exp(shift * width), 1.0) for name, shift in shifts.items()}
    prices["high"] = np.maximum(prices["high"], prices["close"])
    return replace(bars, **prices, volume=np.where(at, 2 * bars.volume + 1, bars.volume))


def panel_after(panel: Panel, end: np.datetime64) -> Panel:
    """The same panel, with every row after a date replaced by another."""
    later = panel.sessions > end
    noise = np.exp(np.random.default_rng(0).normal(0.5, 0.3, len(later)))
    return replace(
        panel,
        prices=panel.prices * np.where(later, noise, 1.0)[:, None],
        volume=np.where(later, 0.0, panel.volume),
    )
