"""Losses as elementwise functions; averaging is done in `daily` and `scorecard`."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Bool, Float

Outcomes = Float[np.ndarray, "origin horizon variable"]
Quantiles = Float[np.ndarray, "origin horizon variable quantile"]


def pinball(quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...]) -> Outcomes:
    """Twice the pinball loss, mean over levels: at the median alone this is the absolute error.

    Args:
        quantiles: of log(price / last close), the unit of `outcomes` too.

    Source: Koenker & Bassett (1978).
    """
    return _weighted_pinball(quantiles, outcomes, levels, _equal_weights(levels))[0]


def pinball_and_crps(
    quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...]
) -> Float[np.ndarray, "2 origin horizon variable"]:
    """`pinball`, and the continuous ranked probability score (CRPS), in one pass over the levels.

    The CRPS is 2∫pinball dτ, each level weighted by the part of (0, 1) nearest to it; with one level it is the absolute
    error.

    Source: Gneiting & Raftery (2007).
    """
    return _weighted_pinball(
        quantiles, outcomes, levels, np.concatenate([_equal_weights(levels), _width_weights(levels)])
    )


def _weighted_pinball(
    quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...], weights: Float[np.ndarray, "sum quantile"]
) -> Float[np.ndarray, "sum origin horizon variable"]:
    """Weighted sums over the levels of max(τ·e, (τ − 1)·e), e = outcome − quantile."""
    sums = np.zeros((len(weights), *outcomes.shape))
    for place, level in enumerate(levels):  # one level at a time: the array of all would be 7 times larger
        error = outcomes - quantiles[..., place]
        loss = np.maximum(level * error, (level - 1) * error)
        for total, weight in zip(sums, weights[:, place], strict=True):
            total += weight * loss
    return sums


def _equal_weights(levels: tuple[float, ...]) -> Float[np.ndarray, "1 quantile"]:
    return np.full((1, len(levels)), 2 / len(levels))


def _width_weights(levels: tuple[float, ...]) -> Float[np.ndarray, "1 quantile"]:
    """Twice the width of the part of (0, 1) nearest to each level: levels (0.1, 0.5, 0.9) give (0.6, 0.8, 0.6)."""
    edges = np.concatenate([[0.0], (np.asarray(levels)[1:] + np.asarray(levels)[:-1]) / 2, [1.0]])
    return 2 * np.diff(edges)[None]


def direction(quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...]) -> Outcomes:
    """1 where the median lies on the outcome's side of the last close, else 0; NaN where either equals it."""
    median = quantiles[..., levels.index(0.5)]
    right: np.ndarray = np.where(median * outcomes > 0, 1.0, 0.0)
    return np.where((median == 0) | (outcomes == 0), np.nan, right)


def qlike(expected: Float[np.ndarray, "*cell"], outcome: Float[np.ndarray, "*cell"]) -> Float[np.ndarray, "*cell"]:
    """outcome / expected − log(outcome / expected) − 1: 0 for a perfect forecast of a positive mean.

    One of the few losses that rank volatility forecasts correctly even if the outcome is a noisy proxy.

    Source: Patton (2011), "Volatility forecast comparison using imperfect volatility proxies".
    """
    ratio = outcome / expected
    loss: np.ndarray = ratio - np.log(ratio) - 1
    return loss


def absolute_error(quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...]) -> Outcomes:
    """Distance of the outcome from the median forecast, in log price."""
    error: np.ndarray = np.abs(outcomes - quantiles[..., levels.index(0.5)])
    return error


def inside(
    quantiles: Quantiles, outcomes: Outcomes, levels: tuple[float, ...], share: float
) -> Bool[np.ndarray, "origin horizon variable"] | None:
    """Whether the outcome lies in the central band of nominal coverage `share`, bounds included.

    None if the forecast lacks that band.
    """
    # In floating point (1 − 0.8) / 2 is 0.09999999999999998, which is in no list of levels.
    low, high = round((1 - share) / 2, 6), round((1 + share) / 2, 6)
    if low not in levels or high not in levels:
        return None
    below, above = quantiles[..., levels.index(low)], quantiles[..., levels.index(high)]
    hit: np.ndarray = (outcomes >= below) & (outcomes <= above)
    return hit
