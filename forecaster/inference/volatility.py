"""What can be forecast of a candle: how wide it will be, and how far the close may have moved by then.

Both follow from the quantiles alone: the quantile function is linear between the levels and has exponential tails
through the outer two on each side.

Source: Breiman, Stone & Kooperberg (1990), "Robust confidence bounds for extreme upper quantiles", for such tails.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forecaster.axes import Float
from forecaster.features.coherence import CLOSE, HIGH, LOW

Quantiles = Float[np.ndarray, "*origin variable quantile"]
Numbers = Float[np.ndarray, "*origin"]


def expected_range(quantiles: Quantiles, levels: tuple[float, ...]) -> Numbers:
    """Expected log(high / low) of the session of a step: the fraction of its price that it will probably span."""
    high, low = quantiles[..., HIGH, :], quantiles[..., LOW, :]
    return np.maximum(mean(high - low, levels), 0.0)  # an expectation of differences is a difference of expectations


def variance(quantiles: Quantiles, levels: tuple[float, ...]) -> Numbers:
    """Variance of log(close / last close) over all sessions up to a step."""
    close = quantiles[..., CLOSE, :]
    return np.maximum(square(close, levels) - mean(close, levels) ** 2, 0.0)


def annualised(variances: Float[np.ndarray, " horizon"], steps: tuple[int, ...], sessions_a_year: int) -> Numbers:
    """Volatility of a year at the pace of the sessions up to each step: √(variance · sessions a year / step)."""
    volatility: np.ndarray = np.sqrt(variances * sessions_a_year / np.asarray(steps))
    return volatility


def mean(quantiles: Float[np.ndarray, "*origin quantile"], levels: tuple[float, ...]) -> Numbers:
    """Integral of the quantile function."""
    inner = ((quantiles[..., 1:] + quantiles[..., :-1]) / 2 * np.diff(levels)).sum(axis=-1)
    return inner + sum(share * (edge + rate) for edge, rate, share in _tails(quantiles, levels))


def square(quantiles: Float[np.ndarray, "*origin quantile"], levels: tuple[float, ...]) -> Numbers:
    """Integral of the squared quantile function."""
    one, other = quantiles[..., :-1], quantiles[..., 1:]
    inner = ((one**2 + one * other + other**2) / 3 * np.diff(levels)).sum(axis=-1)
    tails = _tails(quantiles, levels)
    return inner + sum(share * (edge**2 + 2 * edge * rate + 2 * rate**2) for edge, rate, share in tails)


def _tails(quantiles: np.ndarray, levels: tuple[float, ...]) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Lower and upper: the outer quantile, the mean excess beyond it (with its sign), and the share that lies there."""
    low = (quantiles[..., 1] - quantiles[..., 0]) / np.log(levels[1] / levels[0])
    high = (quantiles[..., -1] - quantiles[..., -2]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    yield quantiles[..., 0], -low, levels[0]
    yield quantiles[..., -1], high, 1 - levels[-1]
