"""Recent errors of one step and one exchange calendar: what each form of rolling calibration computes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Int, Shaped

Origins = Shaped[np.ndarray, " origin"]
"""A date of each error, as an index in the panel's dates."""

Errors = Float[np.ndarray, "origin variable quantile"]
"""(actual − quantile) / (scale·√step)."""


@dataclass(frozen=True, eq=False)
class ErrorWindow(ABC):
    """Collects errors of one step and one exchange calendar, and computes corrections.

    Args:
        updates: dates of the corrections, as indices in the panel's dates, ascending.
        window: origin dates whose errors count.
    """

    updates: Int[np.ndarray, " update"]
    step: int
    window: int
    levels: tuple[float, ...]

    @abstractmethod
    def add(self, origin: Origins, outcome: Origins, errors: Errors) -> None:
        """Add errors, with the dates of their origins and outcomes."""

    @abstractmethod
    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """What to add to the quantiles at each update, in units of scale·√step."""
