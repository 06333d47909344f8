"""Draws a candle from the quantiles of a step: the sampling step of an autoregressive rollout."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np

from forecaster.axes import Float
from forecaster.data.coherence import coherent

_DAYS = 4096
_MOMENTS = 64
_NIGHT = 0.25
"""Share of a day's variance that falls before the open."""


@cache
def days() -> Float[np.ndarray, "day 4"]:
    """Joint distribution of open, high, low and close of a day: normal scores of simulated days, calm ones first.

    The days are those of a random walk that jumps overnight and then moves through the session. Each price alone is
    standard normal, to be mapped through forecast quantiles; the dependence between them is the walk's (a copula). No
    market data is used.
    """
    generator = np.random.default_rng(20_000)
    opens = np.sqrt(_NIGHT) * generator.standard_normal((_DAYS, 1))
    # Night and session together have variance 1.
    steps = generator.standard_normal((_DAYS, _MOMENTS)) * np.sqrt((1 - _NIGHT) / _MOMENTS)
    # The open is a price of the session, so that high and low enclose it.
    within = np.concatenate([opens, opens + steps.cumsum(axis=1)], axis=1)
    prices = np.stack([within[:, 0], within.max(axis=1), within.min(axis=1), within[:, -1]], axis=1)
    size = prices[:, 0] ** 2 + (prices[:, 1] - prices[:, 2]) ** 2
    # argsort twice gives each value's rank. Replacing values by the normal scores of their ranks makes every price
    # standard normal and leaves the order of the days, and so the dependence between prices, as it was.
    ranks = prices.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    scores = normal_scores((np.arange(_DAYS) + 0.5) / _DAYS)
    return scores[ranks][np.argsort(size, kind="stable")]


def normal_scores(shares: Float[np.ndarray, " share"]) -> Float[np.ndarray, " share"]:
    """Quantiles of the standard normal."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(share)) for share in shares])


def spread_scores(steps: int, paths: int, seed: int) -> Float[np.ndarray, "step path 4"]:
    """Stratified days: at each step, every path gets one from a different quantile of calm to wild days."""
    generator = np.random.default_rng(seed)
    # With 4 paths, a step deals the quarters 0 1 2 3 to them in random order; each draws a day within its own.
    shares = np.stack([generator.permutation(paths) for _ in range(steps)])
    places = (shares + generator.random(shares.shape)) / paths
    return days()[(places * _DAYS).astype(int)]


def random_scores(steps: int, paths: int, seed: int) -> Float[np.ndarray, "step path 4"]:
    """Days drawn at random."""
    return days()[np.random.default_rng(seed).integers(_DAYS, size=(steps, paths))]


def draw_candles(
    quantiles: Float[np.ndarray, "path 4 quantile"], levels: tuple[float, ...], scores: Float[np.ndarray, "path 4"]
) -> Float[np.ndarray, "path 4"]:
    """One coherent candle per path: scores mapped through the quantiles, linear between levels and beyond them.

    A median-only forecast has no spread: its candle is the median itself.
    """
    if len(levels) == 1:
        return coherent(quantiles)[..., 0]
    knots = normal_scores(np.asarray(levels))
    # Clipped to the first and last interval, whose lines go on beyond the outer levels.
    left = np.clip(np.searchsorted(knots, scores) - 1, 0, len(knots) - 2)
    low, high = (np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0] for place in (left, left + 1))
    values = low + (high - low) * (scores - knots[left]) / (knots[left + 1] - knots[left])
    return coherent(values[..., None])[..., 0]
