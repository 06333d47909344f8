"""Perturbed candles: later ones altered or deleted, or a single one changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.features.candles import READY_AGE, SCALE_FLOOR

MOST = 5
"""Tickers that a canary checks."""

_AFTER = 60
"""Candles kept after a day, to be altered."""


def sample(bars: Sequence[Bars], day: np.datetime64, depth: int, length: int) -> list[Bars]:
    """At most `MOST` tickers of one exchange, spread over the list, with enough candles up to a day and some after it.

    Args:
        depth: candles that a forecast needs.
        length: candles to keep up to the day.
    """
    needed = max(depth, READY_AGE + 1)
    fit = [one for one in bars if np.sum(one.dates <= day) >= needed and one.dates[-1] > day]
    # One exchange, because days end at different hours elsewhere: what is later would depend on the ticker.
    alike = [one for one in fit if one.calendar == fit[0].calendar]
    chosen = np.unique(np.linspace(0, len(alike) - 1, MOST).astype(int)) if alike else ()
    return [_around(alike[place], day, max(length, needed)) for place in chosen]


def _around(bars: Bars, day: np.datetime64, length: int) -> Bars:
    at = int(np.searchsorted(bars.dates, day, "right"))
    return bars.between(bars.dates[max(at - length, 0)], bars.dates[min(at + _AFTER, len(bars)) - 1])


def another_future(bars: Bars, day: np.datetime64) -> Bars:
    """Alters every later candle: more volatile, higher, without volume, with splits."""
    later = bars.dates > day
    # A fixed seed, and open, high, low and close of a day times the same factor: the candles stay coherent.
    factor = np.where(later, np.exp(np.random.default_rng(0).normal(0.5, 0.2, len(bars))), 1.0)
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close", "adj_close")}
    return replace(bars, **prices, volume=np.where(later, 0.0, bars.volume), split=np.where(later, 2.0, bars.split))


def no_future(bars: Bars, day: np.datetime64) -> Bars:
    """Deletes every later candle."""
    return bars.between(end=day)


def another_day(bars: Bars, back: int) -> Bars:
    """Makes one candle wider, its close higher and its volume double; `back` counts from the last candle."""
    at = np.arange(len(bars)) == len(bars) - 1 - back
    width = max(float(np.std(np.diff(np.log(bars.adjusted()[-60:, 3])))), SCALE_FLOOR)  # the price may not have moved
    shifts = {"high": 2.0, "low": -1.0, "close": 1.0, "adj_close": 1.0}
    prices = {name: getattr(bars, name) * np.where(at, np.exp(shift * width), 1.0) for name, shift in shifts.items()}
    prices["high"] = np.maximum(prices["high"], prices["close"])
    return replace(bars, **prices, volume=np.where(at, 2 * bars.volume + 1, bars.volume))


def panel_after(panel: Panel, end: np.datetime64) -> Panel:
    """The panel with every row after a date altered."""
    later = panel.sessions > end
    noise = np.exp(np.random.default_rng(0).normal(0.5, 0.3, len(later)))
    return replace(
        panel,
        prices=panel.prices * np.where(later, noise, 1.0)[:, None],
        volume=np.where(later, 0.0, panel.volume),
        covariates=tuple(another_future(one, end) for one in panel.covariates),
    )
