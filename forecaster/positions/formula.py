"""The driftless random walk: what a price's odds are if only its volatility is known."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float


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
