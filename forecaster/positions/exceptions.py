"""Tests of a value at risk and of an expected shortfall on the days that followed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Float
from forecaster.positions.measures import Number


@dataclass(frozen=True)
class RiskTest:
    """What a value at risk and an expected shortfall did on the days that followed.

    Args:
        days: days tested, whose outcomes do not overlap.
        exceptions: days on which the loss was larger than the value at risk.
        expected: number of exceptions that were promised.
        kupiec: p-value of the number of exceptions.
        christoffersen: p-value of their independence: whether one follows upon another; None without exceptions.
        shortfall: Acerbi and Székely's second statistic: 0 as promised, negative if the losses were larger.
    """

    days: int
    exceptions: int
    expected: float
    kupiec: float
    christoffersen: float | None
    shortfall: float


def risk_test(
    profits: Float[np.ndarray, " day"],
    value_at_risk: Float[np.ndarray, " day"],
    expected_shortfall: Float[np.ndarray, " day"],
    level: Number,
) -> RiskTest:
    """Test forecasts of losses against profits.

    Args:
        value_at_risk, expected_shortfall: forecast for each day, positive for a loss.
        level: in per cent.
    """
    share, beyond = 1 - level / 100, profits < -value_at_risk
    count, number = len(profits), int(beyond.sum())
    statistic = float((np.where(beyond, profits, 0.0) / expected_shortfall).sum() / (count * share) + 1)
    return RiskTest(
        count, number, count * share, kupiec(count, number, share), christoffersen(beyond), round(statistic, 6)
    )


def kupiec(days: int, exceptions: int, share: float) -> float:
    """p-value of the likelihood-ratio test that exceptions happen on a share of days (unconditional coverage).

    Source: Kupiec (1995), "Techniques for verifying the accuracy of risk measurement models", equation 6.
    """
    rest = days - exceptions
    found = _likelihood(rest, exceptions, exceptions / days)
    return _tail(2 * (found - _likelihood(rest, exceptions, share)))


def christoffersen(beyond: Bool[np.ndarray, " day"]) -> float | None:
    """p-value of the likelihood-ratio test that an exception is as likely after one as after none; None without any.

    Source: Christoffersen (1998), "Evaluating interval forecasts", section 3.2.
    """
    before, after = beyond[:-1], beyond[1:]
    if not before.any():
        return None
    rest, hits = int((~after).sum()), int(after.sum())
    together = _likelihood(rest, hits, hits / len(after))
    apart = 0.0
    for given in (False, True):
        some = after[before == given]
        if len(some):
            apart += _likelihood(int((~some).sum()), int(some.sum()), float(some.mean()))
    return _tail(2 * (apart - together))


def _likelihood(misses: int, hits: int, share: float) -> float:
    """Log-likelihood of hits that each happen with a share; 0 log 0 is 0."""
    found = hits * math.log(share) if hits else 0.0
    return found + (misses * math.log(1 - share) if misses else 0.0)


def _tail(statistic: float) -> float:
    """Upper tail of χ² with one degree of freedom: erfc(√(x / 2))."""
    return math.erfc(math.sqrt(max(statistic, 0.0) / 2))
