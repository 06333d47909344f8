"""Losses averaged by date: tickers move together on a day, so a significance test counts days, not forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.evaluation.scores import Scores


@dataclass(frozen=True, eq=False)
class Origins:
    """The origins of a test period, shared by all forecasters.

    Args:
        known: whether the outcome lies in the period.
        scored: prices that count, see `Dataset.scored`; all if absent.
    """

    dates: Shaped[np.ndarray, " origin"]
    known: Bool[np.ndarray, "origin horizon"]
    scored: Bool[np.ndarray, "origin variable"] | None = None

    @cached_property
    def date_of(self) -> Int[np.ndarray, " origin"]:
        """Index of each origin's date among all dates."""
        return np.unique(self.dates, return_inverse=True)[1]

    @cached_property
    def whole(self) -> Int[np.ndarray, " origin"]:
        """Origins whose outcome is known at every step."""
        return np.flatnonzero(self.known.all(axis=1))

    @cached_property
    def at(self) -> tuple[Int[np.ndarray, " origin"], ...]:
        """For each step, the origins whose outcome is known there."""
        return tuple(map(np.flatnonzero, self.known.T))

    def by_date(
        self, values: Float[np.ndarray, "chosen variable"], chosen: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, "date variable"]:
        """Mean over tickers for each date that has a chosen origin, in the order of dates.

        NaN for a price that no ticker of the date is scored on.
        """
        index = self.date_of[chosen]
        # Origins on dates [0, 0, 2] with values [1, 3, 5] give means [2, nan, 5], of which [2, 5] are returned.
        there = np.bincount(index) > 0
        means = np.stack([_means(index, column) for column in self.only_scored(values, chosen).T], axis=1)
        return means[there]

    def only_scored(
        self, values: Shaped[np.ndarray, "chosen variable"], chosen: Int[np.ndarray, " chosen"]
    ) -> Float[np.ndarray, "chosen variable"]:
        """The values of the chosen origins, with NaN where a price does not count."""
        if self.scored is None or values.shape[1] != self.scored.shape[1] or self.scored.all():
            return values.astype(np.float64)
        return np.where(self.scored[chosen], values, np.nan)

    @cached_property
    def counts(self) -> Int[np.ndarray, "horizon variable"]:
        """Origins that count at each step and price."""
        counts: np.ndarray = self.counted.sum(axis=0)
        return counts

    @cached_property
    def counted(self) -> Bool[np.ndarray, "origin horizon variable"]:
        """Whether there is an outcome that counts."""
        scored = np.ones((len(self.known), 4), bool) if self.scored is None else self.scored
        return self.known[..., None] & scored[:, None]


def _means(index: Int[np.ndarray, " chosen"], values: Float[np.ndarray, " chosen"]) -> Float[np.ndarray, " date"]:
    """Mean by date; NaN for dates without any."""
    # NaN marks a price that does not count; bincount would carry it into the whole date.
    real = np.isfinite(values)
    size = int(index.max(initial=-1)) + 1
    counts = np.bincount(index[real], minlength=size)
    sums = np.bincount(index[real], values[real], minlength=size)
    return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)


@dataclass(frozen=True, eq=False)
class Daily:
    """One loss of one forecaster, averaged by date.

    Args:
        by_step: for each step, the mean over tickers by date.
        whole: the same averaged over steps, for origins whose outcome is known at every step.
        mean: mean over all origins of each step.
    """

    by_step: tuple[Float[np.ndarray, "_ variable"], ...]
    whole: Float[np.ndarray, "_ variable"]
    mean: Float[np.ndarray, "horizon variable"]

    @classmethod
    def of(cls, values: Shaped[np.ndarray, "origin horizon variable"], origins: Origins) -> Daily:
        """Averages a loss, or the hits of a band."""
        # Steps differ in their origins: near the end of the test the longer ones have no outcome yet.
        parts = [values[chosen, step] for step, chosen in enumerate(origins.at)]  # [chosen, variable] each
        return cls(
            by_step=tuple(origins.by_date(part, chosen) for part, chosen in zip(parts, origins.at, strict=True)),
            whole=origins.by_date(values[origins.whole].mean(axis=1, dtype=np.float64), origins.whole),
            mean=np.stack([_column_means(origins.only_scored(*one)) for one in zip(parts, origins.at, strict=True)]),
        )


def _column_means(values: Float[np.ndarray, "chosen variable"]) -> Float[np.ndarray, " variable"]:
    """Mean over origins; NaN for a price that counts at none."""
    if np.isfinite(values).all() and len(values):
        means: np.ndarray = values.mean(axis=0)
        return means
    return np.array(
        [column[np.isfinite(column)].mean() if np.isfinite(column).any() else np.nan for column in values.T]
    )


@dataclass(frozen=True, eq=False)
class DailyScores:
    """A forecaster's scores, and its losses by date."""

    scores: Scores
    origins: Origins

    @cached_property
    def pinball(self) -> Daily:
        return Daily.of(self.scores.pinball, self.origins)

    @cached_property
    def error(self) -> Daily:
        return Daily.of(self.scores.error, self.origins)

    @cached_property
    def coverage(self) -> tuple[Float[np.ndarray, "horizon variable"] | None, ...]:
        """Share of outcomes inside each band."""
        return tuple(
            None if hits is None else self._share((hits & self.origins.counted).sum(axis=0))
            for hits in self.scores.inside
        )

    @cached_property
    def crps(self) -> Float[np.ndarray, "horizon variable"]:
        return self._share(self.scores.crps)

    def _share(self, sums: Shaped[np.ndarray, "horizon variable"]) -> Float[np.ndarray, "horizon variable"]:
        """Divides sums by the number of origins that count; NaN where there are none."""
        counts = self.origins.counts
        return np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
