"""Usual ways to forecast a portfolio's loss: a Gaussian EWMA covariance, and historical simulation, plain and filtered.

Each gives, at each origin, a sorted sample or quantiles of the profit over the next sessions per unit of value, from
the portfolio's own past daily returns. With constant weights w the EWMA covariance Σ gives the portfolio's variance
wᵀΣw, which is the EWMA of its own squared returns: so one series is all that is needed.
"""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float

DECAY = 0.94
"""Of the daily EWMA covariance.

Source: RiskMetrics (1996), "Technical document", section 5.3.
"""

PAST = 500
"""Past sessions of historical simulation."""

Returns = Float[np.ndarray, "time *portfolio"]


def ewma_deviation(returns: Returns) -> Returns:
    """Standard deviation of the next day's return, as known at each day; zero mean."""
    found = np.empty_like(returns)
    # Starts at the variance of the first month.
    variance = (returns[:22] ** 2).mean(axis=0)
    for time, one in enumerate(returns):
        variance = DECAY * variance + (1 - DECAY) * one**2
        found[time] = variance
    deviations: np.ndarray = np.sqrt(np.maximum(found, 1e-12))
    return deviations


def gaussian(deviations: Returns, origin: int, steps: int, shares: Float[np.ndarray, " share"]) -> np.ndarray:
    """Quantiles "share *portfolio" of a normal distribution with mean 0 and the EWMA variance times the sessions.

    Args:
        deviations: of `ewma_deviation`.
    """
    from scipy.special import ndtri

    return np.asarray(np.multiply.outer(ndtri(shares), deviations[origin] * np.sqrt(steps)))


def historical(returns: Returns, origin: int, steps: int) -> np.ndarray:
    """Sample "past *portfolio" of the returns over so many sessions that ended in the last 500."""
    sums = _sums(returns[: origin + 1], steps)
    return sums[-PAST:]


def filtered(returns: Returns, deviations: Returns, origin: int, steps: int) -> np.ndarray:
    """The same in units of the deviation known when each began, times the deviation known now.

    Args:
        deviations: of `ewma_deviation`.

    Source: Hull & White (1998), "Incorporating volatility updating into the historical simulation method".
    """
    sums = _sums(returns[: origin + 1], steps)
    # The sum in row r is of sessions r + 1 … r + steps; it began at the close of session r, row r of the deviations.
    began = deviations[: len(sums)]
    return (sums[1:] / began[: len(sums) - 1])[-PAST:] * deviations[origin]


def _sums(returns: Returns, steps: int) -> np.ndarray:
    """Row r: the return over the sessions r … r + steps − 1."""
    total = np.cumsum(np.concatenate([np.zeros_like(returns[:1]), returns]), axis=0)
    found: np.ndarray = total[steps:] - total[:-steps]
    return found
