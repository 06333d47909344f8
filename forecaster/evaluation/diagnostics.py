"""Where a forecast is right and where it is not: coverage by level, PIT, skill by group, and whether it is an echo.

All of it is made from the losses and quantiles that the scorecard is made from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.evaluation.metrics import Outcomes, Quantiles
from forecaster.evaluation.scores import Scores


@dataclass(frozen=True, eq=False)
class Tally:
    """How many outcomes lay at or below each quantile; tallies of several stretches of origins add up.

    Args:
        below: of those `known` outcomes.
    """

    below: Int[np.ndarray, "horizon variable quantile"]
    known: Int[np.ndarray, " horizon"]

    @classmethod
    def of(cls, quantiles: Quantiles, outcomes: Outcomes, known: Bool[np.ndarray, "origin horizon"]) -> Tally:
        """Count; an outcome that is not known may hold anything."""
        under = (outcomes[..., None] <= quantiles) & known[..., None, None]
        return cls(under.sum(axis=0), known.sum(axis=0))

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.below + other.below, self.known + other.known)

    def reached(self) -> Float[np.ndarray, "variable quantile"]:
        """Share of outcomes at or below each level's quantile, the mean over steps: a calibrated one is the level."""
        shares: np.ndarray = (self.below / self.known[:, None, None]).mean(axis=0)
        return shares


def pit(
    reached: Float[np.ndarray, "variable quantile"], levels: Sequence[float]
) -> Float[np.ndarray, "variable interval"]:
    """Density of the probability integral transform between 0, the levels and 1: calibrated is 1 everywhere.

    A hump in the middle means bands too wide, a U too narrow, a slope off-centre.

    Source: Diebold, Gunther & Tay (1998), with the intervals that the quantiles give.
    """
    edges = np.concatenate([[0.0], levels, [1.0]])
    ends = np.ones((len(reached), 1))
    density: np.ndarray = np.diff(np.concatenate([0 * ends, reached, ends], axis=1), axis=1) / np.diff(edges)
    return density


def skill_by(
    group: Int[np.ndarray, " origin"], groups: int, own: Scores, reference: Scores
) -> Float[np.ndarray, " group"]:
    """Skill over the reference within each group of origins, as the scorecard has it for all of them.

    Losses are averaged over the origins of each step and price, then over steps; the skill is the mean of the four
    prices'. A group's step without a known outcome is left out; a group without any, or without a loss, is NaN.
    """
    loss, beside = (_means(group, groups, own.known, scores.pinball) for scores in (own, reference))
    ratio = np.divide(loss, beside, out=np.full_like(loss, np.nan), where=beside > 0)
    skill: np.ndarray = 1 - ratio.mean(axis=1)
    return skill


def held_by(
    group: Int[np.ndarray, " origin"], groups: int, scores: Scores, band: int
) -> Float[np.ndarray, " group"] | None:
    """Share of outcomes inside a band (a place in `SHARES`) within each group; None where there is no such band."""
    inside = scores.inside[band]
    if inside is None:
        return None
    held: np.ndarray = _means(group, groups, scores.known, inside.astype(float)).mean(axis=1)
    return held


def months(
    dates: Shaped[np.ndarray, " origin"],
) -> tuple[Shaped[np.ndarray, " month"], Int[np.ndarray, " origin"]]:
    """The months that have an origin, ascending, and the place of each origin's month among them."""
    found, place = np.unique(dates.astype("datetime64[M]"), return_inverse=True)
    return found, place


@dataclass(frozen=True)
class Echo:
    """Which of the closes around the day that was forecast the median close lies nearest to.

    Args:
        step: sessions ahead.
        misses: mean |log(forecast / close)| against the close of that day, of the session before it, and so on; the
            one at place `step` is the last close that was known.
        correlation: of the forecast move with the move that came; None where one of them never moves.
    """

    step: int
    misses: tuple[float, ...]
    correlation: float | None

    @property
    def nearest(self) -> int:
        """How many sessions before the day that was forecast the nearest close lies; of equals, the last known."""
        nearest = int(np.argmin(self.misses))
        return self.step if self.misses[self.step] <= self.misses[nearest] else nearest

    @property
    def is_echo(self) -> bool:
        """Whether the forecast repeats the last close rather than meeting the one to come."""
        return self.nearest >= self.step


def echo(step: int, moves: Float[np.ndarray, " origin"], closes: Float[np.ndarray, "origin lag"]) -> Echo:
    """Hold median closes against the closes of their day and of the sessions before it.

    Args:
        moves: forecast log(close / last close).
        closes: actual log(close / last close) of the day that was forecast, the session before it, and so on; an
            origin that lacks one of them is left out.
    """
    whole = np.isfinite(closes).all(axis=1)
    moves, closes = moves[whole], closes[whole]
    misses = np.abs(moves[:, None] - closes).mean(axis=0)
    varied = len(moves) > 1 and np.ptp(moves) > 0 and np.ptp(closes[:, 0]) > 0
    correlation = float(np.corrcoef(moves, closes[:, 0])[0, 1]) if varied else math.nan
    return Echo(step, tuple(misses.tolist()), correlation if math.isfinite(correlation) else None)


def _means(
    group: Int[np.ndarray, " origin"],
    groups: int,
    known: Bool[np.ndarray, "origin horizon"],
    values: Float[np.ndarray, "origin horizon variable"],
) -> Float[np.ndarray, "group variable"]:
    """Mean over the known origins of each group, then over steps."""
    means = np.full((known.shape[1], groups, values.shape[2]), np.nan)
    for step in range(known.shape[1]):
        chosen = known[:, step]
        counts = np.bincount(group[chosen], minlength=groups)
        for variable in range(values.shape[2]):
            sums = np.bincount(group[chosen], values[chosen, step, variable], minlength=groups)
            np.divide(sums, counts, out=means[step, :, variable], where=counts > 0)
    some = np.isfinite(means)
    total: np.ndarray = np.where(some, means, 0).sum(axis=0)
    return np.divide(total, some.sum(axis=0), out=np.full(total.shape, np.nan), where=some.any(axis=0))
