"""Exponentially weighted means that know nothing of the future."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float


def ewma(
    values: Float[np.ndarray, "time ticker"], half_lives: tuple[float, ...], first: int = 0
) -> Float[np.ndarray, "time ticker scale"]:
    """Mean of all values so far, each weighted by λ^age with λ = ½^(1/half-life); the weights sum to 1 from the start.

    Args:
        values: one value a session; all tickers begin at row 0.
        half_lives: in sessions.
        first: the first row that has a value; NaN before it.
    """
    decay = 0.5 ** (1.0 / np.asarray(half_lives, np.float64))
    means = np.full((*values.shape, len(half_lives)), np.nan)
    total = np.zeros(means.shape[1:])
    weight = np.zeros(len(half_lives))
    # One pass over time, all tickers at once: later rows cannot reach earlier ones, not even by rounding.
    for time in range(first, len(values)):
        total = decay * total + (1 - decay) * values[time, :, None]
        weight = decay * weight + (1 - decay)
        means[time] = total / weight
    return means
