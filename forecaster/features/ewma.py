"""Exponentially weighted means (EWMA), causal to the last bit."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float

_NOTHING = 1e-20
"""Weights below this no longer change a float64 sum."""


def ewma(
    values: Float[np.ndarray, "time ticker"], half_lives: tuple[float, ...], first: int = 0
) -> Float[np.ndarray, "time ticker scale"]:
    """Mean of all values so far, each weighted by λ^age with λ = ½^(1/half-life); the weights sum to 1 from the start.

    Args:
        values: one per session; every ticker starts at row 0.
        half_lives: in sessions.
        first: the first row that has a value; NaN before it.
    """
    means = np.full((*values.shape, len(half_lives)), np.nan)
    # Number of values so far, n: their weights (1 − λ) λ^age sum to 1 − λⁿ, which the division below makes 1.
    age = np.arange(1, len(values) - first + 1)[:, None]
    for scale, half_life in enumerate(half_lives):
        decay = 0.5 ** (1.0 / half_life)
        total = decayed_sum((1 - decay) * values[first:], decay)
        means[first:, :, scale] = np.divide(total, 1 - decay**age, out=total)
    return means


def decayed_sum(values: Float[np.ndarray, "time ticker"], decay: float) -> Float[np.ndarray, "time ticker"]:
    """Σ decay^age · value over all rows so far, by a parallel prefix sum.

    Each pass doubles the rows that a sum covers, so 13 passes serve 8,000 sessions. With 4 rows x0 … x3 and decay d:

        pass 1 (1 row):   x0,  x1 + d x0,         x2 + d x1,                 x3 + d x2
        pass 2 (2 rows):  x0,  x1 + d x0,         x2 + d x1 + d² x0,         x3 + d x2 + d² x1 + d³ x0

    Every pass is elementwise: later rows and other tickers can't reach a sum, not even by rounding.

    Source: Hillis & Steele (1986), "Data Parallel Algorithms".
    """
    total, held = values.copy(), 1
    # A short half-life stops early: with 3 sessions, 8 passes suffice, since 0.5^(256 / 3) is below `_NOTHING`.
    while held < len(total) and (weight := decay**held) > _NOTHING:
        # The product is a copy, so every row is read before any is changed.
        total[held:] += weight * total[:-held]
        held *= 2
    return total
