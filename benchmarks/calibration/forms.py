"""Forms of rolling calibration: corrections of quantiles from the errors of the last days whose outcome is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.data.coherence import coherent
from forecaster.evaluation.scores import SHARES

WINDOW, EVERY = 250, 10
"""Sessions whose errors count, and sessions between two corrections."""

LONG = 500
"""Sessions of the forms that look back further."""

MIRRORED = [0, 2, 1, 3]
"""Open, low, high, close: what the prices become when up and down change places."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Forecasts and outcomes in units of scale·√step, sorted by date.

    Args:
        date: of each origin, as a place among the dates.
        quantiles: [origin, step, price, level].
        outcomes: [origin, step, price]; NaN where there is none.
        first: the first date to correct.
    """

    date: np.ndarray
    quantiles: np.ndarray
    outcomes: np.ndarray
    steps: tuple[int, ...]
    levels: tuple[float, ...]
    first: int

    @cached_property
    def updates(self) -> np.ndarray:
        """Dates of the corrections; each is in force until the next."""
        return np.arange(self.first // EVERY * EVERY, int(self.date.max()) + 1, EVERY)

    @cached_property
    def corrected(self) -> np.ndarray:
        """Places of the origins to correct."""
        return np.flatnonzero(self.date >= self.first)

    def window(self, update: int, step: int, length: int) -> slice:
        """Origins whose outcome at a step is known at an update, of as many dates as the length says."""
        newest = update - step
        return slice(*np.searchsorted(self.date, [newest - length + 1, newest + 1]))

    def _rolled(self, values: np.ndarray, levels: np.ndarray, step: int, length: int) -> np.ndarray:
        """Quantiles of the values [level, price, origin] in each window, each at its level; [update, price, level]."""
        rows = [np.empty((4, len(levels))) for _ in self.updates]
        for update, row in zip(self.updates, rows, strict=True):
            inside = values[..., self.window(int(update), step, length)]
            inside = inside[..., np.isfinite(inside[0, 0])]
            for column, level in enumerate(levels):
                row[:, column] = np.quantile(inside[column], level, axis=-1)
        return np.stack(rows)

    def shifts(self, length: int = WINDOW) -> np.ndarray:
        """For each level the shift that centres it on the window; [update, step, price, level]."""
        found = []
        for place, step in enumerate(self.steps):
            errors = (self.outcomes[:, place, :, None] - self.quantiles[:, place]).T
            found.append(self._rolled(np.ascontiguousarray(errors), np.array(self.levels), step, length))
        return np.stack(found, axis=1)

    @cached_property
    def factors(self) -> np.ndarray:
        """Log factor about the median that gives each band its share in the window, mean of bands and prices.

        [update, step, 1, 1]
        """
        found = []
        for place, step in enumerate(self.steps):
            outcomes, quantiles = self.outcomes[:, place], self.quantiles[:, place]
            median = quantiles[..., len(self.levels) // 2]
            away, ratios = outcomes - median, []
            for low, high in self.bands:
                width = np.where(away > 0, quantiles[..., high] - median, median - quantiles[..., low])
                ratios.append((np.abs(away) / np.maximum(width, 1e-6)).T)
            rolled = self._rolled(np.ascontiguousarray(np.stack(ratios)), np.array(SHARES), step, WINDOW)
            found.append(np.log(rolled).mean(axis=(1, 2)))
        return np.stack(found, axis=1)[..., None, None]

    @cached_property
    def bands(self) -> list[tuple[int, int]]:
        """Places of the levels that border each of the central bands."""
        return [
            tuple(self.levels.index(round((1 + sign * share) / 2, 6)) for sign in (-1, 1))  # type: ignore[misc]
            for share in SHARES
        ]

    @cached_property
    def certainty(self) -> np.ndarray:
        """t²/(t² + 1) of the coverage's distance from its promise in the window, over dates; [update, step, 1, 1].

        The standard error is Newey and West's, with ten lags or the step's.
        """
        certainty = np.zeros((len(self.updates), len(self.steps), 1, 1))
        for place, step in enumerate(self.steps):
            gaps = self._coverage_gaps(place)
            for index, update in enumerate(self.updates):
                gap = gaps[max(update - step - WINDOW + 1, 0) : update - step + 1]
                rest, lags = gap - gap.mean(), max(step, 10)
                variance = rest @ rest
                variance += 2 * sum((1 - lag / (lags + 1)) * (rest[lag:] @ rest[:-lag]) for lag in range(1, lags + 1))
                certainty[index, place] = gap.sum() ** 2 / (gap.sum() ** 2 + max(variance, 1e-12))
        return certainty

    def _coverage_gaps(self, place: int) -> np.ndarray:
        """Share of outcomes held minus promise, by date of the origin, mean of bands and prices."""
        known = np.isfinite(self.outcomes[:, place, 0])
        outcomes, quantiles, date = self.outcomes[known, place], self.quantiles[known, place], self.date[known]
        held = [(outcomes >= quantiles[..., low]) & (outcomes <= quantiles[..., high]) for low, high in self.bands]
        gap = np.mean(held, axis=(0, 2)) - np.mean(SHARES)
        return np.bincount(date, gap) / np.maximum(np.bincount(date), 1)

    def evidence(self, shrink: float, length: int = WINDOW) -> np.ndarray:
        """n/(n + shrink), n = dates of the window / step: outcomes overlap; [step, 1, 1]."""
        count = np.array([length / step for step in self.steps])
        return (count / (count + shrink))[:, None, None]

    def shifted(self, shifts: np.ndarray) -> np.ndarray:
        """Coherent quantiles after a shift."""
        return coherent(self.quantiles[self.corrected] + shifts[self._in_force])

    def widened(self, factors: np.ndarray) -> np.ndarray:
        """Coherent quantiles after a change of width about their medians."""
        quantiles = self.quantiles[self.corrected]
        median = quantiles[..., [len(self.levels) // 2]]
        return coherent(median + np.exp(factors[self._in_force]) * (quantiles - median))

    @cached_property
    def _in_force(self) -> np.ndarray:
        return (self.date[self.corrected] - self.updates[0]) // EVERY


def width(shifts: np.ndarray) -> np.ndarray:
    """What shifts have in common with those of a world in which up is down; the rest is drift."""
    mirrored = -shifts[..., ::-1][..., MIRRORED, :]
    return (shifts + mirrored) / 2


def forms(errors: Errors) -> Mapping[str, Callable[[], np.ndarray]]:
    """What corrects the quantiles, by the name of the form; the first corrects nothing."""
    shifts = errors.shifts()
    symmetric, long = width(shifts), width(errors.shifts(LONG))
    return {
        "none": lambda: errors.quantiles[errors.corrected],
        "shift of each level": lambda: errors.shifted(shifts),
        "half of it": lambda: errors.shifted(0.5 * shifts),
        "its drift alone, half": lambda: errors.shifted(0.5 * (shifts - symmetric)),
        "its width alone": lambda: errors.shifted(symmetric),
        "its width, shrunk by 20": lambda: errors.shifted(errors.evidence(20) * symmetric),
        "its width, shrunk by 40": lambda: errors.shifted(errors.evidence(40) * symmetric),
        "its width, shrunk by its t": lambda: errors.shifted(errors.certainty * symmetric),
        "its width, 500 sessions, shrunk by 40": lambda: errors.shifted(errors.evidence(40, LONG) * long),
        "one factor, shrunk by 20": lambda: errors.widened(errors.evidence(20) * errors.factors),
    }
