"""Rolling correction at step 1: shifts each level to where its coverage on recent days would have been exact."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from forecaster.axes import Float, Int, Shaped


@dataclass(frozen=True, eq=False)
class Shift:
    """Collects errors of one step and one exchange calendar, and computes corrections.

    Args:
        updates: dates of the corrections, as indices in the panel's dates, ascending.
        window: origin dates whose errors count.
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
        """Add errors.

        Args:
            origin: date of each, as an index in the panel's dates; `outcome` likewise.
            errors: (actual − quantile) / (scale·√step).
        """
        self._parts.append((origin, outcome, errors.T))

    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """For each price and level, that quantile of the errors known at the update; 0 if none are known."""
        shifts = np.zeros((len(self.updates), 4, len(self.levels)))
        if not self._parts:
            return shifts
        # Errors as [quantile, variable, origin]: contiguous by origin, np.quantile is three times as fast.
        origin, outcome, errors = (np.concatenate(parts, axis=-1) for parts in zip(*self._parts, strict=True))
        for index, update in enumerate(self.updates):
            chosen = (origin > update - self.step - self.window) & (outcome <= update)
            if chosen.any():
                for column, level in enumerate(self.levels):
                    shifts[index, :, column] = np.quantile(errors[column][:, chosen], level, axis=-1)
        return shifts
