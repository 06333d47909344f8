"""The driftless random walk: what a price's odds are if only its volatility is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float
from forecaster.positions.measures import Number
from forecaster.positions.rivals import ewma_deviation


def close_beyond(
    distance: Float[np.ndarray, "*case"], deviation: Float[np.ndarray, "*case"]
) -> Float[np.ndarray, "*case"]:
    """Probability that the close ends beyond a price: Φ(−d / σ).

    Args:
        distance: |log(price / last close)|, the price lying on the side that is asked about.
        deviation: of the log close then: daily volatility · √sessions.
    """
    from scipy.special import ndtr

    return np.asarray(ndtr(-distance / deviation))


def touch(distance: Float[np.ndarray, "*case"], deviation: Float[np.ndarray, "*case"]) -> Float[np.ndarray, "*case"]:
    """Probability that a price is touched on the way: 2 Φ(−d / σ), by the reflection principle.

    Source: Bachelier (1900), "Théorie de la spéculation"; Karatzas & Shreve (1991), section 2.6.
    """
    return np.asarray(2 * close_beyond(distance, deviation))


@dataclass(frozen=True, eq=False)
class Walk:
    """The driftless random walk from a close.

    Args:
        deviation: of the log close after each number of sessions.
    """

    close: float
    deviation: Float[np.ndarray, " step"]

    @classmethod
    def of(cls, closes: Float[np.ndarray, " time"], last_close: float, days: int) -> Walk:
        """The walk whose daily volatility is that of past closes, by EWMA with decay 0.94."""
        daily = ewma_deviation(np.diff(np.log(closes)))[-1]
        return cls(last_close, daily * np.sqrt(np.arange(1, days + 1)))

    def beyond(self, price: Number, above: bool) -> Float[np.ndarray, " step"]:
        """Probability that the close lies beyond a price on each day."""
        distance = np.log(price / self.close) * (1 if above else -1)
        return close_beyond(np.full(len(self.deviation), distance), self.deviation)

    def touch(self, price: Number) -> Float[np.ndarray, " step"]:
        """Probability that a price is touched by each day."""
        return touch(np.full(len(self.deviation), abs(np.log(price / self.close))), self.deviation)
