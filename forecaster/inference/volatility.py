"""Expected range of a candle and volatility of the close, from the forecast quantiles alone.

The quantile function is taken as linear between the levels, with exponential tails through the outer two levels on each
side.

Source: Breiman, Stone & Kooperberg (1990), "Robust confidence bounds for extreme upper quantiles", for such tails.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from forecaster.axes import Float
from forecaster.data.coherence import CLOSE, HIGH, LOW

Quantiles = Float[np.ndarray, "*origin variable quantile"]
Numbers = Float[np.ndarray, "*origin"]


def expected_range(quantiles: Quantiles, levels: tuple[float, ...]) -> Numbers:
    """Expected log(high / low) of the session at each step: its range as a fraction of the price."""
    high, low = quantiles[..., HIGH, :], quantiles[..., LOW, :]
    return np.maximum(
        mean(high - low, levels), 0.0
    )  # the expectation of a difference is the difference of expectations


def variance(quantiles: Quantiles, levels: tuple[float, ...]) -> Numbers:
    """Variance of log(close / last close) over all sessions up to a step."""
    close = quantiles[..., CLOSE, :]
    return np.maximum(square(close, levels) - mean(close, levels) ** 2, 0.0)


def annualised(variances: Float[np.ndarray, " horizon"], steps: tuple[int, ...], sessions_a_year: int) -> Numbers:
    """Annualised volatility: √(variance · sessions a year / step)."""
    volatility: np.ndarray = np.sqrt(variances * sessions_a_year / np.asarray(steps))
    return volatility


def mean(quantiles: Float[np.ndarray, "*origin quantile"], levels: tuple[float, ...]) -> Numbers:
    """Integral of the quantile function: a weighted sum of the quantiles."""
    return np.einsum("...q,q->...", quantiles, _moments(levels)[0])


def square(quantiles: Float[np.ndarray, "*origin quantile"], levels: tuple[float, ...]) -> Numbers:
    """Integral of the squared quantile function: a quadratic form of the quantiles."""
    return np.einsum("...q,...q->...", quantiles @ _moments(levels)[1], quantiles)


@lru_cache(maxsize=8)
def _moments(
    levels: tuple[float, ...],
) -> tuple[Float[np.ndarray, " quantile"], Float[np.ndarray, "quantile quantile"]]:
    """Weights of the mean, and matrix of the mean square.

    Between two levels the function is a line: over a width w it adds w (a + b) / 2 and w (a² + ab + b²) / 3. Beyond the
    outer quantile e with mean excess r it adds, for the share s that lies there, s (e + r) and s (e² + 2 e r + 2 r²).
    """
    # Computing with unit vectors in place of quantiles yields the weight of each quantile.
    eye = np.eye(len(levels))
    mean, square = np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
    for one, other, width in zip(eye[:-1], eye[1:], np.diff(levels), strict=True):
        mean += width * (one + other) / 2
        # (a² + ab + b²) / 3 = (a² + b² + (a + b)²) / 6, which as a matrix is symmetric.
        both = one + other
        square += width * (np.outer(one, one) + np.outer(other, other) + np.outer(both, both)) / 6
    for edge, rate, share in _tails(eye, levels):
        mean += share * (edge + rate)
        cross = np.outer(edge, rate) + np.outer(rate, edge)
        square += share * (np.outer(edge, edge) + cross + 2 * np.outer(rate, rate))
    return mean, square


def _tails(eye: np.ndarray, levels: tuple[float, ...]) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Lower and upper, as weights of the quantiles: the outer quantile, the mean excess beyond it (with its sign), and
    the share that lies there."""
    # An exponential tail through the two outer levels: beyond q₁ the share falls from 1 − τ₁ to 1 − τ₂ over q₂ − q₁, so
    # its mean excess is (q₂ − q₁) / log((1 − τ₁) / (1 − τ₂)).
    low = (eye[1] - eye[0]) / np.log(levels[1] / levels[0])
    high = (eye[-1] - eye[-2]) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    yield eye[0], -low, levels[0]
    yield eye[-1], high, 1 - levels[-1]
