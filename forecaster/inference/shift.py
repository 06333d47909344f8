"""Rolling correction at step 1: shifts each level to where its coverage on recent days would have been exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster import mapped
from forecaster.axes import Float
from forecaster.inference.errorwindow import Errors, ErrorWindow, Origins


@dataclass(frozen=True, eq=False)
class Shift(ErrorWindow):
    """Collects errors of one step and one exchange calendar, and computes corrections."""

    _parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, origin: Origins, outcome: Origins, errors: Errors) -> None:
        self._parts.append((origin, outcome, errors.T))

    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """For each price and level, that quantile of the errors known at the update; 0 if none are known."""
        shifts = np.zeros((len(self.updates), 4, len(self.levels)))
        if not self._parts:
            return shifts
        # Errors as [quantile, variable, origin]: contiguous by origin, np.quantile is three times as fast.
        origin, outcome, errors = map(_joined, zip(*self._parts, strict=True))
        for index, update in enumerate(self.updates):
            # `window` origin dates, the newest of them `step` dates ago. `outcome <= update` keeps out what was not yet
            # known: a halted ticker's outcome comes later than its step says.
            chosen = (origin > update - self.step - self.window) & (outcome <= update)
            if chosen.any():
                for column, level in enumerate(self.levels):
                    # Shifted by this, the quantile has had exactly that share of recent outcomes below it.
                    shifts[index, :, column] = np.quantile(errors[column][:, chosen], level, axis=-1)
        return shifts


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The parts side by side, along the last axis."""
    shape = (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))
    return np.concatenate(parts, axis=-1, out=mapped.empty(shape, parts[0].dtype))
