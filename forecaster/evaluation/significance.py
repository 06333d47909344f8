"""Is one forecast better than another, or was it luck?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float

_Z_SIZE, _Z_POWER = 1.96, 0.84
"""Quantiles of the normal for a two-sided size of 5 % and a power of 80 %."""

FEWEST_DATES = 30
"""With fewer dates than this no test is made."""


@dataclass(frozen=True)
class Comparison:
    """A Diebold–Mariano test: a negative statistic speaks for the first forecast; p is two-sided.

    Both are NaN where there are too few dates, or no difference at all.
    """

    statistic: float
    p_value: float


def diebold_mariano(differences: Float[np.ndarray, " date"], steps: int) -> Comparison:
    """Test that the mean difference of two losses is 0, with a variance that allows for overlapping forecasts.

    Args:
        differences: loss of the first minus loss of the second, averaged over tickers, by date.
        steps: the longest horizon, in sessions: sets the number of lags.

    Source: Diebold & Mariano (1995); Newey & West (1987) for the Bartlett weights; Harvey, Leybourne & Newbold (1997)
    for the small-sample factor and Student's t.
    """
    from scipy.special import stdtr

    count = len(differences)
    if count < FEWEST_DATES:
        return Comparison(math.nan, math.nan)
    mean = float(differences.mean())
    variance = long_run_variance(differences - mean, lags_of(steps))
    if variance <= 0:
        return Comparison(math.nan, math.nan)
    factor = (count + 1 - 2 * steps + steps * (steps - 1) / count) / count
    statistic = mean / math.sqrt(variance / count) * math.sqrt(max(factor, 0.0))
    return Comparison(statistic, 2 * float(stdtr(count - 1, -abs(statistic))))


def dates_needed(statistic: float, dates: int) -> int | None:
    """How many dates a test at 5 % needs to see a difference like this one four times out of five; None for none."""
    if not math.isfinite(statistic) or statistic == 0:
        return None
    return math.ceil(dates * ((_Z_SIZE + _Z_POWER) / statistic) ** 2)


def by_date(values: Float[np.ndarray, " origin"], dates: np.ndarray, known: np.ndarray) -> Float[np.ndarray, " date"]:
    """Mean over the tickers of each date that has any, in the order of dates."""
    _, index = np.unique(dates[known], return_inverse=True)
    means: np.ndarray = np.bincount(index, values[known]) / np.bincount(index)
    return means


def lags_of(steps: int) -> int:
    """Lags that allow for forecasts of so many steps, which overlap."""
    return max(10, math.ceil(1.25 * steps))


def long_run_variance(centred: Float[np.ndarray, " date"], lags: int) -> float:
    """Variance of √n times the mean of a series that is correlated in time; Bartlett weights."""
    lags = min(lags, len(centred) - 1)
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / len(centred)
