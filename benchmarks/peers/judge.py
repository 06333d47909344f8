"""One judge for all: forecasts of the close on the same cells, by the project's own losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from work import LEVELS

from forecaster.evaluation.metrics import absolute_error, pinball


class Verdict(NamedTuple):
    """How good a forecast is.

    Args:
        mae: mean absolute error of the median over that of the last close carried forward; below 1 is better.
        skill: share by which its pinball loss is lower than that of the EWMA random walk.
    """

    mae: float
    skill: float


@dataclass(frozen=True, eq=False)
class Cells:
    """What is forecast: log(close five sessions on / last close).

    Args:
        outcomes: what came, one a cell.
        reference: the EWMA random walk's quantiles, [cell, level].
    """

    outcomes: np.ndarray
    reference: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Cells:
        with np.load(path) as arrays:
            return cls(arrays["outcomes"], arrays["reference"])

    def save(self, path: Path) -> None:
        np.savez(path, outcomes=self.outcomes, reference=self.reference)

    def judge(self, quantiles: np.ndarray) -> Verdict:
        """Of [cell, level] quantiles.

        Raises:
            ValueError: not one forecast a cell and level, or one that is no number.
        """
        if quantiles.shape != self.reference.shape or not np.isfinite(quantiles).all():
            raise ValueError(f"expected {self.reference.shape} finite quantiles, got {quantiles.shape}")
        error = float(absolute_error(*self._axes(quantiles), LEVELS).mean() / np.abs(self.outcomes).mean())
        losses = [float(pinball(*self._axes(one), LEVELS).mean()) for one in (quantiles, self.reference)]
        return Verdict(error, 1 - losses[0] / losses[1])

    def _axes(self, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """With the axes that the losses want: origin, horizon, variable (and quantile)."""
        return quantiles[:, None, None, :], self.outcomes[:, None, None]


def seconds_to(skill: float, verdicts: Sequence[Verdict], seconds: Sequence[float]) -> float | None:
    """Processor time of the cheapest training that reached a skill; None where none did."""
    reached = [cost for verdict, cost in zip(verdicts, seconds, strict=True) if verdict.skill >= skill]
    return min(reached, default=None)
