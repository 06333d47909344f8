"""Losses by date: tickers of one day move together, so a test counts days, not forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.evaluation.scores import Scores


@dataclass(frozen=True, eq=False)
class Origins:
    """The origins of a test period, the same for all that is scored on them.

    Args:
        known: where an outcome lies in the period.
    """

    dates: Shaped[np.ndarray, " origin"]
    known: Bool[np.ndarray, "origin horizon"]

    @cached_property
    def date_of(self) -> Int[np.ndarray, " origin"]:
        """Place of each origin's date among all dates."""
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
        """Mean over the tickers of each date that has any of the chosen origins, in the order of dates."""
        index = self.date_of[chosen]
        counts = np.bincount(index)
        sums = np.stack([np.bincount(index, column) for column in values.T], axis=1)
        return sums[counts > 0] / counts[counts > 0, None]


@dataclass(frozen=True, eq=False)
class Daily:
    """One loss of one forecaster by date.

    Args:
        by_step: for each step the mean over tickers by date.
        whole: the mean over steps too, of the origins whose outcome is known at each.
        mean: over all origins of each step.
    """

    by_step: tuple[Float[np.ndarray, "_ variable"], ...]
    whole: Float[np.ndarray, "_ variable"]
    mean: Float[np.ndarray, "horizon variable"]

    @classmethod
    def of(cls, values: Shaped[np.ndarray, "origin horizon variable"], origins: Origins) -> Daily:
        """Average a loss, or whether a band held."""
        parts = [values[chosen, step] for step, chosen in enumerate(origins.at)]
        return cls(
            by_step=tuple(origins.by_date(part, chosen) for part, chosen in zip(parts, origins.at, strict=True)),
            whole=origins.by_date(values[origins.whole].mean(axis=1, dtype=np.float64), origins.whole),
            mean=np.stack([part.mean(axis=0, dtype=np.float64) for part in parts]),
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
    def held(self) -> tuple[Float[np.ndarray, "horizon variable"] | None, ...]:
        """Share of outcomes inside each band."""
        known = self.origins.known
        counts = known.sum(axis=0)[:, None]
        return tuple(
            None if hits is None else (hits & known[..., None]).sum(axis=0) / counts for hits in self.scores.inside
        )

    @cached_property
    def crps(self) -> Float[np.ndarray, "horizon variable"]:
        return self.scores.crps / np.maximum(self.origins.known.sum(axis=0), 1)[:, None]
