"""Diagnostics of a forecast: coverage by level, PIT, skill by group, and whether it is an echo of the last close.

All of them use the same losses and quantiles as the scorecard.
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
    """Counts of outcomes at or below each quantile; tallies of several blocks of origins can be added.

    Args:
        below: how many of the `known` outcomes.
    """

    below: Int[np.ndarray, "horizon variable quantile"]
    known: Int[np.ndarray, " horizon"]

    @classmethod
    def of(cls, quantiles: Quantiles, outcomes: Outcomes, known: Bool[np.ndarray, "origin horizon"]) -> Tally:
        """Counts; outcomes that are not known are ignored."""
        under = (outcomes[..., None] <= quantiles) & known[..., None, None]
        return cls(under.sum(axis=0), known.sum(axis=0))

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.below + other.below, self.known + other.known)

    def reached(self) -> Float[np.ndarray, "variable quantile"]:
        """Share of outcomes at or below each level's quantile, mean over steps: equals the level if calibrated."""
        shares: np.ndarray = (self.below / self.known[:, None, None]).mean(axis=0)
        return shares


def pit(
    reached: Float[np.ndarray, "variable quantile"], levels: Sequence[float]
) -> Float[np.ndarray, "variable interval"]:
    """Density of the probability integral transform between 0, the levels and 1: 1 everywhere if calibrated.

    A hump in the middle means that bands are too wide, a U that they are too narrow, a slope that they are biased.

    Source: Diebold, Gunther & Tay (1998), on the intervals between the quantiles.
    """
    # Levels 0.1, 0.5, 0.9, reached by 0.2, 0.5, 0.8: densities 2, 0.75, 0.75, 2, a U, so the bands are too narrow.
    edges = np.concatenate([[0.0], levels, [1.0]])
    ends = np.ones((len(reached), 1))
    density: np.ndarray = np.diff(np.concatenate([0 * ends, reached, ends], axis=1), axis=1) / np.diff(edges)
    return density


def skill_by(
    group: Int[np.ndarray, " origin"], groups: int, own: Scores, reference: Scores
) -> Float[np.ndarray, " group"]:
    """Skill over the reference within each group of origins, computed as in the scorecard.

    Losses are averaged over the origins of each step and price, then over steps; the skill is the mean over the
    four prices. A group's step without a known outcome is skipped; a group without any, or without a loss, is NaN.
    """
    loss, beside = (_means(group, groups, own.known, scores.pinball) for scores in (own, reference))
    ratio = np.divide(loss, beside, out=np.full_like(loss, np.nan), where=beside > 0)
    skill: np.ndarray = 1 - ratio.mean(axis=1)
    return skill


def coverage_by(
    group: Int[np.ndarray, " origin"], groups: int, scores: Scores, band: int
) -> Float[np.ndarray, " group"] | None:
    """Coverage of a band (an index into `SHARES`) within each group; None if the forecast lacks that band."""
    inside = scores.inside[band]
    if inside is None:
        return None
    coverage: np.ndarray = _means(group, groups, scores.known, inside.astype(float)).mean(axis=1)
    return coverage


def months(
    dates: Shaped[np.ndarray, " origin"],
) -> tuple[Shaped[np.ndarray, " month"], Int[np.ndarray, " origin"]]:
    """The months that have an origin, ascending, and the index of each origin's month among them."""
    names, place = np.unique(dates.astype("datetime64[M]"), return_inverse=True)
    return names, place


@dataclass(frozen=True)
class Echo:
    """Compares the median close with the actual closes of the forecast day and of the sessions before it.

    Args:
        step: sessions ahead.
        misses: mean |log(forecast / close)| for the close of that day, of the session before it, and so on; the one at
            index `step` is the last close.
        correlation: of the forecast with the actual move; None if one of them never moves.
    """

    step: int
    misses: tuple[float, ...]
    correlation: float | None

    @property
    def nearest(self) -> int:
        """Lag in sessions of the nearest close; the last close wins a tie."""
        nearest = int(np.argmin(self.misses))
        return self.step if self.misses[self.step] <= self.misses[nearest] else nearest

    @property
    def is_echo(self) -> bool:
        """Whether the forecast is closer to the last close (or an older one) than to the forecast day's."""
        return self.nearest >= self.step


def echo(step: int, moves: Float[np.ndarray, " origin"], closes: Float[np.ndarray, "origin lag"]) -> Echo:
    """Compares median closes with the closes of their day and of the sessions before it.

    Args:
        moves: forecast log(close / last close).
        closes: actual log(close / last close) of the forecast day, the session before it, and so on; origins that lack
            one of them are skipped.
    """
    # The same origins at every lag, or the distances would not be comparable.
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
    means = np.full((known.shape[1], groups, values.shape[2]), np.nan)  # [step, group, variable]
    for step in range(known.shape[1]):
        chosen = known[:, step]
        counts = np.bincount(group[chosen], minlength=groups)
        for variable in range(values.shape[2]):
            sums = np.bincount(group[chosen], values[chosen, step, variable], minlength=groups)
            np.divide(sums, counts, out=means[step, :, variable], where=counts > 0)
    # Mean over the steps that the group has, which is nanmean without its warning for groups without any.
    some = np.isfinite(means)
    total: np.ndarray = np.where(some, means, 0).sum(axis=0)
    return np.divide(total, some.sum(axis=0), out=np.full(total.shape, np.nan), where=some.any(axis=0))
