"""Tails of the forecast beyond its outer levels: a generalised Pareto distribution, fitted once to training's moves.

Beyond the outer quantiles of training's standardised moves the excess is measured in widths, the distance of the outer
quantile from the median. A forecast's own width then scales the tail like the rest of the forecast. Example at one step
and price: with the 95 % quantile at 3 %, the median at 0 %, shape 0.2 and scale 0.25, the 99 % quantile is
3 % + 3 % · (0.25 / 0.2) · ((0.05 / 0.01)^0.2 − 1) = 4.42 %.

A tail is "… 2 2": side (lower, upper), then shape ξ and scale σ in widths.

Source: Pickands (1975), "Statistical Inference Using Extreme Order Statistics"; McNeil & Frey (2000), "Estimation of
tail-related risk measures for heteroscedastic financial time series", for tails in units of a forecast volatility.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from forecaster import mapped
from forecaster.axes import Float
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset

Tails = Float[np.ndarray, "horizon variable 2 2"]
Quantiles = Float[np.ndarray, "*column quantile"]

_FEWEST = 100
"""Fewest excesses of a fit."""

_POINTS = 1_000
"""The excesses are thinned to so many equally spaced order statistics: a fit takes milliseconds, and neighbouring
excesses, of overlapping days, say the same."""

_SHAPES = (-0.5, 0.9)
"""Bounds of the shape: below, maximum likelihood is not regular; above, there is nearly no mean."""


def fit_tails(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Tails | None:
    """Fit both tails of each step and price to the origins of a period, tickers pooled.

    Returns:
        None if there are no bands, or fewer than 100 excesses of a tail that has any width.
    """
    if len(levels) < 3 or 0.5 not in levels:
        return None
    rows, base = dataset.origins(period), dataset.base(period, levels)
    known, units = dataset.known(rows, period), mapped.empty((len(rows), len(dataset.steps)), np.float64)
    for block in mapped.blocks(len(rows)):
        units[block] = dataset.units(rows[block])
    found = np.zeros((len(dataset.steps), 4, 2, 2))
    for place, step in enumerate(dataset.steps):
        some = known[:, place]
        moves = dataset.moved(rows[some], step) / units[some, place, None]
        for variable in range(4):
            quantiles = base[place, variable]
            middle = quantiles[levels.index(0.5)]
            for side, outer in enumerate((quantiles[0], quantiles[-1])):
                fit = _fit(moves[:, variable], outer, middle)
                if fit is None:
                    return None
                found[place, variable, side] = fit
    return found


def _fit(moves: Float[np.ndarray, " origin"], outer: float, middle: float) -> tuple[float, float] | None:
    """Shape and scale of one tail, in widths; a tail without width (an open that is the last close) stays without."""
    from scipy.stats import genpareto

    width = outer - middle
    if width == 0:
        return 0.0, 0.0
    excess = (moves - outer) / width
    excess = np.sort(excess[excess > 0])
    if len(excess) < _FEWEST:
        return None
    places = (np.arange(min(_POINTS, len(excess))) + 0.5) / min(_POINTS, len(excess))
    shape, _, scale = genpareto.fit(np.quantile(excess, places), floc=0)
    return float(np.clip(shape, *_SHAPES)), float(scale)


def exponential_tails(quantiles: Quantiles, levels: tuple[float, ...]) -> Float[np.ndarray, "*column 2 2"]:
    """Exponential tails through the outer two levels, for a run without a fit: shape 0.

    Source: Breiman, Stone & Kooperberg (1990), "Robust confidence bounds for extreme upper quantiles".
    """
    middle = quantiles[..., levels.index(0.5)]
    rates = (
        (quantiles[..., 1] - quantiles[..., 0]) / np.log(levels[1] / levels[0]),
        (quantiles[..., -1] - quantiles[..., -2]) / np.log((1 - levels[-2]) / (1 - levels[-1])),
    )
    widths = (middle - quantiles[..., 0], quantiles[..., -1] - middle)
    scales = [rate / np.where(width > 0, width, 1.0) for rate, width in zip(rates, widths, strict=True)]
    return np.stack([np.stack([np.zeros_like(scale), scale], axis=-1) for scale in scales], axis=-2)


def inverse(
    quantiles: Quantiles, levels: tuple[float, ...], tails: Float[np.ndarray, "*column 2 2"], shares: np.ndarray
) -> Float[np.ndarray, "*column share"]:
    """The forecast's quantile function: a line between levels, the tails beyond them.

    Args:
        shares: probabilities in (0, 1), ascending.
    """
    known = np.asarray(levels)
    below, above = int(np.searchsorted(shares, known[0])), int(np.searchsorted(shares, known[-1], "right"))
    # One matmul for all columns: each share's weights of the quantiles, two of which are not 0.
    weights = np.stack([np.interp(shares[below:above], known, unit) for unit in np.eye(len(levels))])
    middle = quantiles[..., levels.index(0.5), None]
    low, high = quantiles[..., :1], quantiles[..., -1:]
    lower = low - (middle - low) * _excess(tails[..., 0, :], shares[:below] / known[0])
    upper = high + (high - middle) * _excess(tails[..., 1, :], (1 - shares[above:]) / (1 - known[-1]))
    return np.concatenate([lower, quantiles @ weights, upper], axis=-1)


def _excess(tail: Float[np.ndarray, "*column 2"], left: Float[np.ndarray, " share"]) -> np.ndarray:
    """Generalised Pareto quantiles, in widths, where a share `left` of the tail lies beyond: σ/ξ · (left^−ξ − 1)."""
    shape, scale = tail[..., :1], tail[..., 1:]
    logs = -np.log(left)
    safe = np.where(shape == 0, 1.0, shape)
    return cast("np.ndarray", scale * np.where(shape == 0, logs, np.expm1(shape * logs) / safe))
