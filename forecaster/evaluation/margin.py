"""How much better or worse a run is than one simple formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.evaluation.significance import SIGNIFICANT

_LEAST = 5e-5
"""A smaller margin rounds to 0.00 % and counts as none."""


@dataclass(frozen=True)
class Margin:
    """A run beside one formula, over prices and steps.

    Args:
        skill_pinball: share by which the run's loss is lower (a point forecast's absolute error); None if the
            formula's loss is 0.
        p_value: two-sided, of this comparison alone; None if there are too few dates, or no difference at all.
    """

    baseline: str
    skill_pinball: float | None
    dm_statistic: float | None
    p_value: float | None

    @property
    def ahead(self) -> bool:
        return (self.skill_pinball or 0.0) >= _LEAST

    @property
    def behind(self) -> bool:
        return (self.skill_pinball or 0.0) <= -_LEAST

    def certain(self, tests: int) -> bool:
        """Whether p is below 5 % after Bonferroni correction for this many tests."""
        return self.p_value is not None and self.p_value * tests < SIGNIFICANT


def hardest(margins: Sequence[Margin]) -> Margin:
    """The formula that decides: the one with the largest p or, if not all are beaten, with the lowest margin.

    Of several with the same p, or with none, as in-sample, it is the one with the lowest margin.
    """
    if all(one.ahead for one in margins):
        return max(margins, key=lambda one: (1.0 if one.p_value is None else one.p_value, -lowest(one)))
    return min(margins, key=lowest)


def lowest(one: Margin) -> float:
    """Sort key of margins; an unknown one comes first."""
    return one.skill_pinball if one.skill_pinball is not None else -math.inf
