"""Odds of a price on one ticker's paths: beyond it at the close, touched on the way, which of two first, and sizes.

Prices are in the ticker's currency, shares are fractions of the paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int
from forecaster.positions.measures import Number, value_at_risk

_ROUNDING = 1e-9

Paths = Float[np.ndarray, "path step"]


@dataclass(frozen=True)
class First:
    """Which of two prices is touched first, as shares of the paths; the four add up to 1.

    Args:
        one, other: touched on an earlier day than the other price, or alone.
        same_day: both for the first time on one day: candles do not say which came first.
        neither: none of them by the last day.
    """

    one: float
    other: float
    same_day: float
    neither: float


def beyond(closes: Paths, price: Number, above: bool) -> tuple[Float[np.ndarray, " step"], Float[np.ndarray, " step"]]:
    """Share of paths whose close lies beyond a price on each day; and on it or any day before."""
    there = closes > price if above else closes < price
    return there.mean(axis=0), np.logical_or.accumulate(there, axis=1).mean(axis=0)


def touched(highs: Paths, lows: Paths, price: Number, last_close: Number) -> Float[np.ndarray, " step"]:
    """Share of paths that touch a price by each day: with a high if it lies above the last close, else with a low."""
    found: np.ndarray = (_first_day(highs, lows, price, last_close)[:, None] <= np.arange(highs.shape[1])).mean(axis=0)
    return found


def first(highs: Paths, lows: Paths, prices: tuple[Number, Number], last_close: Number) -> First:
    """Which of two prices is touched first."""
    one, other = (_first_day(highs, lows, price, last_close) for price in prices)
    steps = highs.shape[1]
    same = (one == other) & (one < steps)
    return First(
        float((one < other).mean()),
        float((other < one).mean()),
        float(same.mean()),
        float(((one == steps) & (other == steps)).mean()),
    )


def touched_with(highs: Paths, lows: Paths, chances: tuple[float, ...]) -> list[tuple[float, float, float]]:
    """For each chance in (0, 1): the prices below and above that a path touches by the last day with that chance."""
    lowest, highest = lows.min(axis=1), highs.max(axis=1)
    return [(one, float(np.quantile(lowest, one)), float(np.quantile(highest, 1 - one))) for one in chances]


def size(closes: Paths, last_close: Number, loss: Number, level: Number) -> int | None:
    """Most shares to hold such that more than `loss` is lost by the last day with a chance of at most 100 − level %.

    Returns:
        None if a share loses nothing at that level, so that any number would do.
    """
    risk = float(value_at_risk(closes[:, -1] - last_close, level))
    return math.floor(loss / risk * (1 + _ROUNDING)) if risk > 0 else None


def _first_day(highs: Paths, lows: Paths, price: Number, last_close: Number) -> Int[np.ndarray, " path"]:
    """Index of the day on which each path first touches a price; the number of days if it never does."""
    there = highs >= price if price > last_close else lows <= price
    found: np.ndarray = np.where(there.any(axis=1), there.argmax(axis=1), there.shape[1])
    return found
