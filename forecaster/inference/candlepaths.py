"""Candles drawn one after another: each from the quantiles of the next step, then fed back as the newest candle."""

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
    """How open, high, low and close go together in a day: normal scores of many days of a random walk, calm ones first.

    Each price by itself is standard normal, to be mapped through the quantiles of a forecast; together they are those
    of a walk that jumps over night and then moves through the day (a copula). No candle of the data is needed.
    """
    generator = np.random.default_rng(20_000)
    opens = np.sqrt(_NIGHT) * generator.standard_normal((_DAYS, 1))
    steps = generator.standard_normal((_DAYS, _MOMENTS)) * np.sqrt((1 - _NIGHT) / _MOMENTS)
    within = np.concatenate([opens, opens + steps.cumsum(axis=1)], axis=1)
    prices = np.stack([within[:, 0], within.max(axis=1), within.min(axis=1), within[:, -1]], axis=1)
    size = prices[:, 0] ** 2 + (prices[:, 1] - prices[:, 2]) ** 2
    ranks = prices.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    scores = normal_scores((np.arange(_DAYS) + 0.5) / _DAYS)
    return scores[ranks][np.argsort(size, kind="stable")]


def normal_scores(shares: Float[np.ndarray, " share"]) -> Float[np.ndarray, " share"]:
    """Quantiles of the standard normal."""
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(share)) for share in shares])


def spread_scores(steps: int, paths: int, seed: int) -> Float[np.ndarray, "step path 4"]:
    """Days for so many paths: at each step every path has one from another share of calm and wild days."""
    generator = np.random.default_rng(seed)
    shares = np.stack([generator.permutation(paths) for _ in range(steps)])
    places = (shares + generator.random(shares.shape)) / paths
    return days()[(places * _DAYS).astype(int)]


def random_scores(steps: int, paths: int, seed: int) -> Float[np.ndarray, "step path 4"]:
    """Days drawn at random."""
    return days()[np.random.default_rng(seed).integers(_DAYS, size=(steps, paths))]


def drawn(
    quantiles: Float[np.ndarray, "lane 4 quantile"], levels: tuple[float, ...], scores: Float[np.ndarray, "lane 4"]
) -> Float[np.ndarray, "lane 4"]:
    """One coherent candle a lane: its scores mapped through the quantiles, linearly between levels and beyond them.

    A forecast of the median alone has no spread: its candle is the median itself.
    """
    if len(levels) == 1:
        return coherent(quantiles)[..., 0]
    knots = normal_scores(np.asarray(levels))
    left = np.clip(np.searchsorted(knots, scores) - 1, 0, len(knots) - 2)
    low, high = (np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0] for place in (left, left + 1))
    values = low + (high - low) * (scores - knots[left]) / (knots[left + 1] - knots[left])
    return coherent(values[..., None])[..., 0]
