"""What can be forecast of a candle: how wide it will be, and how far the close may have moved by then.

Both follow from the quantiles alone, taken as points of a piecewise linear quantile function whose tails go on with the
slope of the outer two intervals.
"""

from __future__ import annotations

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
    first, last, low, high = _tails(quantiles, levels)
    inner = ((quantiles[..., 1:] + quantiles[..., :-1]) / 2 * np.diff(levels)).sum(axis=-1)
    below, above = levels[0], 1 - levels[-1]
    return inner + below * first - low * below**2 / 2 + above * last + high * above**2 / 2


def square(quantiles: Float[np.ndarray, "*origin quantile"], levels: tuple[float, ...]) -> Numbers:
    """Integral of the squared quantile function."""
    first, last, low, high = _tails(quantiles, levels)
    one, other = quantiles[..., :-1], quantiles[..., 1:]
    inner = ((one**2 + one * other + other**2) / 3 * np.diff(levels)).sum(axis=-1)
    return inner + _tail(first, -low, levels[0]) + _tail(last, high, 1 - levels[-1])


def _tails(quantiles: np.ndarray, levels: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The outer quantiles and the slopes beyond them."""
    low = (quantiles[..., 2] - quantiles[..., 0]) / (levels[2] - levels[0])
    high = (quantiles[..., -1] - quantiles[..., -3]) / (levels[-1] - levels[-3])
    return quantiles[..., 0], quantiles[..., -1], low, high


def _tail(edge: np.ndarray, slope: np.ndarray, width: float) -> np.ndarray:
    """∫ (edge + slope·x)² over 0 ≤ x ≤ width."""
    return edge**2 * width + edge * slope * width**2 + slope**2 * width**3 / 3
