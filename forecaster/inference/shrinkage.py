"""Ledoit–Wolf shrinkage of a correlation matrix: few days, many tickers."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float


def shrunk_correlation(values: Float[np.ndarray, "date ticker"]) -> Float[np.ndarray, "ticker ticker"]:
    """Sample correlation, shrunk towards none at all by as much as its noise asks.

    Args:
        values: no NaN; columns are standardised here. At least 2 dates.

    Returns:
        (1 − δ) · sample + δ · identity, with δ in [0, 1] that minimises the expected squared error.

    Source: Ledoit & Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", section 3.2.
    """
    count = len(values)
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    standard = centred / np.where(spread > 0, spread, 1.0)
    sample = standard.T @ standard / count
    identity = np.eye(len(sample))
    distance = ((sample - identity) ** 2).sum()
    # Σ over dates of ‖x xᵀ − S‖² / n² = (Σ ‖x‖⁴ / n − ‖S‖²) / n.
    noise = (((standard**2).sum(axis=1) ** 2).mean() - (sample**2).sum()) / count
    delta = min(noise / distance, 1.0) if distance > 0 else 1.0
    shrunk = (1 - delta) * sample + delta * identity
    np.fill_diagonal(shrunk, 1.0)  # a ticker that never moved has no correlation, but is one with itself
    return shrunk
