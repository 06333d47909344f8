"""Rolling correction of each level at step 1: the shift that would have centred its coverage on the last days."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from forecaster.axes import Float, Int, Shaped


@dataclass(frozen=True, eq=False)
class Shift:
    """Errors of one step and one exchange calendar.

    Args:
        updates: dates of the corrections, as places in the panel's dates, ascending.
        window: sessions whose errors count.
    """

    updates: Int[np.ndarray, " update"]
    step: int
    window: int
    levels: tuple[float, ...]
    _parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(
        self,
        origin: Shaped[np.ndarray, " origin"],
        outcome: Shaped[np.ndarray, " origin"],
        errors: Float[np.ndarray, "origin variable quantile"],
    ) -> None:
        """Take in errors.

        Args:
            origin: date of each, as a place in the panel's dates; outcome alike.
            errors: (outcome − quantile) / (scale·√step).
        """
        self._parts.append((origin, outcome, errors.T))

    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """For each price and level the quantile of the errors known at the update: none known, none corrected."""
        shifts = np.zeros((len(self.updates), 4, len(self.levels)))
        if not self._parts:
            return shifts
        # Origins lie next to each other in memory, so that their quantiles are found three times as fast.
        origin, outcome, errors = (np.concatenate(parts, axis=-1) for parts in zip(*self._parts, strict=True))
        for index, update in enumerate(self.updates):
            chosen = (origin > update - self.step - self.window) & (outcome <= update)
            if chosen.any():
                for column, level in enumerate(self.levels):
                    shifts[index, :, column] = np.quantile(errors[column][:, chosen], level, axis=-1)
        return shifts
