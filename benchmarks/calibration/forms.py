"""Forms of rolling calibration: corrections of quantiles from the errors of the last days whose outcome is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.features.coherence import coherent

WINDOW, EVERY = 250, 10
"""Sessions whose errors count, and sessions between two corrections."""

GRID = np.linspace(-0.6, 0.6, 61)
"""Log factors that a correction of the width may take."""

MIRRORED = [0, 2, 1, 3]
"""Open, low, high, close: what the prices become when up and down change places."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Forecasts and outcomes in units of scale·√step.

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
    def dates(self) -> int:
        return int(self.date.max()) + 1

    @cached_property
    def shifts(self) -> np.ndarray:
        """The form in use: for each level the shift that centres it on the window; [date, step, price, level]."""
        order = np.argsort(self.date, kind="stable")
        border = np.searchsorted(self.date[order], np.arange(self.dates + 1))
        shifts = np.zeros((self.dates, *self.quantiles.shape[1:]))
        for place, step in enumerate(self.steps):
            error = (self.outcomes[:, place, :, None] - self.quantiles[:, place]).astype(np.float32)
            for update in range(self.first // EVERY * EVERY, self.dates, EVERY):
                rows = order[border[max(update - step - WINDOW + 1, 0)] : border[max(update - step + 1, 0)]]
                rows = rows[np.isfinite(error[rows, 0, 0])]
                found = [np.quantile(error[rows, :, n], level, axis=0) for n, level in enumerate(self.levels)]
                shifts[update : update + EVERY, place] = np.stack(found, axis=-1)
        return shifts

    @cached_property
    def mirrored(self) -> np.ndarray:
        """The shifts of a world in which up is down: what both have in common is width, the rest is drift."""
        return -self.shifts[..., ::-1][..., MIRRORED, :]

    @cached_property
    def losses(self) -> np.ndarray:
        """Mean pinball loss of each origin date under each factor of the width; [date, step, price, factor]."""
        losses = np.zeros((self.dates, len(self.steps), 4, len(GRID)))
        for place in range(len(self.steps)):
            known = np.isfinite(self.outcomes[:, place, 0])
            date, count = self.date[known], np.maximum(np.bincount(self.date[known], minlength=self.dates), 1)
            for number, factor in enumerate(np.exp(GRID)):
                loss = np.zeros((known.sum(), 4), np.float32)
                for column, level in enumerate(self.levels):
                    error = self.outcomes[known, place] - factor * self.quantiles[known, place, :, column]
                    loss += np.maximum(level * error, (level - 1) * error)
                for price in range(4):
                    sums = np.bincount(date, loss[:, price], minlength=self.dates)
                    losses[:, place, price, number] = sums / count
        return losses

    def factors(self, half_life: float | None = None, shrink: float = 0.0, source: int | None = None) -> np.ndarray:
        """Log factor of the width that would have been best on the window; [date, step, price].

        Args:
            half_life: of the weight of a past date, in sessions; without it the window's dates weigh alike.
            shrink: n/(n + shrink) of the factor is used, n = dates of the window / step (outcomes overlap).
            source: the step whose errors serve all steps; each its own if absent.
        """
        factors = np.zeros((self.dates, len(self.steps), 4))
        for place in range(len(self.steps)):
            origin = place if source is None else source
            for update in range(0, self.dates, EVERY):
                newest = update - self.steps[origin] + 1
                oldest = max(newest - WINDOW, 0)
                if newest < 40:
                    continue
                age = np.arange(newest - oldest)[::-1]
                weight = 0.5 ** (age / half_life) if half_life else np.ones(len(age))
                loss = np.tensordot(weight, self.losses[oldest:newest, origin], (0, 0))
                count = weight.sum() / self.steps[origin]
                factors[update : update + EVERY, place] = GRID[loss.argmin(axis=-1)] * count / (count + shrink)
        return factors

    def shifted(self, shifts: np.ndarray) -> np.ndarray:
        """Coherent quantiles after a shift."""
        return coherent(self.quantiles + shifts[self.date])

    def widened(self, factors: np.ndarray) -> np.ndarray:
        """Coherent quantiles after a change of width."""
        return coherent(self.quantiles * np.exp(factors[self.date])[..., None])


def forms(errors: Errors) -> Mapping[str, np.ndarray]:
    """Corrected quantiles, by the name of the form."""
    shifts, mirrored = errors.shifts, errors.mirrored
    own = np.array([1 / (1 + step) for step in errors.steps])[:, None, None]
    return {
        "shift of each level (in use, at step 1)": errors.shifted(shifts),
        "half of it": errors.shifted(0.5 * shifts),
        "a quarter of it": errors.shifted(0.25 * shifts),
        "1 / (1 + step) of it": errors.shifted(own * shifts),
        "its width alone, half": errors.shifted(0.25 * (shifts + mirrored)),
        "its drift alone, half": errors.shifted(0.25 * (shifts - mirrored)),
        "factor of the width": errors.widened(errors.factors()),
        "factor, shrunk by 20": errors.widened(errors.factors(shrink=20)),
        "factor, half-life 60, shrunk by 60": errors.widened(errors.factors(60, 60)),
        "half the factor of step 1": errors.widened(0.5 * errors.factors(source=0)),
    }
