"""Significance tests: is one forecast better than another, or was it luck? (Diebold–Mariano)"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecaster.axes import Float

SIGNIFICANT = 0.05
"""A difference counts as more than luck below this p-value."""

FEWEST_DATES = 30
"""Fewest dates for a test."""

_ROUNDING = 1e-12

_POWER = 0.8
"""Power: the chance of seeing a real difference, in `dates_needed`."""


@dataclass(frozen=True)
class Comparison:
    """A Diebold–Mariano test: a negative statistic favours the first forecast; p is two-sided.

    Both are NaN if there are too few dates, or no difference at all.
    """

    statistic: float
    p_value: float


def diebold_mariano(differences: Float[np.ndarray, " date"], steps: int) -> Comparison:
    """Tests that the mean difference of two losses is 0, with a variance that allows for overlapping forecasts.

    Args:
        differences: loss of the first minus loss of the second, averaged over tickers, by date.
        steps: the longest horizon in sessions: neighbouring forecasts share steps − 1 of them.

    Source: Diebold & Mariano (1995) for the statistic; `standard_error` for its variance and Student's t.
    """
    from scipy.special import stdtr

    error, freedom = standard_error(differences, steps)
    if not error > 0:
        return Comparison(math.nan, math.nan)
    statistic = float(differences.mean()) / error
    # stdtr is the lower tail of Student's t: twice that of −|t| is two-sided.
    return Comparison(statistic, 2 * float(stdtr(freedom, -abs(statistic))))


def standard_error(values: Float[np.ndarray, " date"], steps: int) -> tuple[float, int]:
    """Standard error of the mean of a series that is correlated in time, and its degrees of freedom.

    NaN and 0 if there are too few dates. The long-run variance is the mean of the first B squared coefficients of
    the series' cosine transform (equal-weighted cosine, EWC); mean / error is then Student's t with B degrees of
    freedom. `benchmarks/significance` measures the false-positive rate of the test.

    Args:
        values: one for each date: the mean over tickers, which move together.
        steps: sessions ahead, as in `diebold_mariano`.

    Source: Lazarus, Lewis, Stock & Watson (2018), "HAR Inference: Recommendations for Practice".
    """
    count = len(values)
    freedom = degrees_of_freedom(count, steps)
    if not freedom:
        return math.nan, 0
    coefficients = _cosines(count, freedom) @ values
    # The mean of B squared coefficients estimates the long-run variance of one value; over n, that of their mean.
    error = math.sqrt(float(coefficients @ coefficients) / freedom / count)
    # If all values are equal, the error is rounding noise: report 0.
    return (error if error > _ROUNDING * float(np.abs(values).max()) else 0.0), freedom


def degrees_of_freedom(dates: int, steps: int) -> int:
    """B, how many cosines estimate the variance: 0.4 · dates^⅔, and no more than dates / (2.5 · steps).

    The second bound keeps the periods of the cosines longer than the overlap of the forecasts. 0 means that no test
    is possible: fewer dates than `FEWEST_DATES`, or than 2.5 · steps.
    """
    return int(min(0.4 * dates ** (2 / 3), dates / (2.5 * steps))) if dates >= FEWEST_DATES else 0


def fewest_dates(steps: int) -> int:
    """Fewest dates for a test of forecasts of this many steps."""
    return max(FEWEST_DATES, math.ceil(2.5 * steps))


@lru_cache(maxsize=32)
def _cosines(count: int, terms: int) -> Float[np.ndarray, "term date"]:
    """√(2/n) · cos(π j (t − ½) / n) for j = 1..B: orthonormal, and orthogonal to a constant, so no mean is removed."""
    phase = np.pi * (np.arange(count) + 0.5) / count
    return np.sqrt(2 / count) * np.cos(np.arange(1, terms + 1)[:, None] * phase)


def dates_needed(statistic: float, dates: int, looks: int = 1) -> int | None:
    """Dates that a test at 5 % needs to see a difference of this size four times out of five; None if there is none.

    Args:
        looks: number of models that share the 5 % (Bonferroni).
    """
    from statistics import NormalDist  # importing scipy would double the start-up time of a forecast

    if not math.isfinite(statistic) or statistic == 0:
        return None
    normal = NormalDist().inv_cdf
    # A statistic grows with the root of the dates. The one needed is z(power) + z(1 − α/2).
    ratio = (normal(_POWER) - normal(SIGNIFICANT / looks / 2)) / statistic
    needed = dates * ratio * ratio
    return math.ceil(needed) if math.isfinite(needed) else None


def by_date(values: Float[np.ndarray, " origin"], dates: np.ndarray, known: np.ndarray) -> Float[np.ndarray, " date"]:
    """Mean over tickers for each date that has a known origin, in the order of dates."""
    _, index = np.unique(dates[known], return_inverse=True)
    means: np.ndarray = np.bincount(index, values[known]) / np.bincount(index)
    return means
