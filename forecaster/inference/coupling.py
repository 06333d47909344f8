"""Joint candle paths: past dates say what moves together, the forecast's quantiles say how far.

A path takes one past date for all tickers. At each ticker, step and price the paths are ranked by what followed that
date, and the path of rank r of K gets the forecast's (r + ½) / K quantile. Within a path the days, the four prices and
the tickers so belong together as they did then, while each marginal is the forecast's. Example with four paths and two
tickers: if date 3 was the worst for both, path 3 holds the lowest quantile of both.

Source: Clark et al. (2004), "The Schaake Shuffle"; Schefzik, Thorarinsdottir & Gneiting (2013), "Uncertainty
Quantification in Complex Simulation Models Using Ensemble Copula Coupling". Ties at random, as several paths may take
one date: Segers, Sibuya & Tsukahara (2017), "The empirical beta copula".
"""

from __future__ import annotations

import zlib

import numpy as np

from forecaster.axes import Float, Int
from forecaster.data.coherence import coherent
from forecaster.inference.tails import exponential_tails, inverse

ALL = (0, 1, 2, 3)
"""Open, high, low and close."""


def draw_dates(count: int, dates: int, seed: int, half_life: float = np.inf) -> Int[np.ndarray, " path"]:
    """Index of the date that each path takes: each as often as any other, give or take one; in random order.

    Args:
        dates: how many there are, the newest last.
        half_life: number of dates after which one is taken half as often.
    """
    rng = np.random.default_rng([seed, 0])
    shares = np.cumsum(0.5 ** (np.arange(dates)[::-1] / half_life))
    places = (np.arange(count) + rng.random()) * shares[-1] / count
    return rng.permutation(np.minimum(np.searchsorted(shares, places, "right"), dates - 1))


def ranks(
    values: Float[np.ndarray, date * column], drawn: Int[np.ndarray, " path"], rng: np.random.Generator
) -> Int[np.ndarray, path * column]:
    """Rank of each path, 0 to K − 1, by the value of its date; a permutation in each column.

    Args:
        drawn: date of each path; paths of one date, or of equal values, are ordered at random.
    """
    flat = values.reshape(len(values), -1)
    mixed = rng.permutation(len(flat))  # so that a stable sort orders equal values at random
    order = mixed[np.argsort(flat[mixed], axis=0, kind="stable")]
    count = np.bincount(drawn, minlength=len(flat)).astype(np.int32)
    ordered = count[order]
    below = np.empty_like(ordered)
    # How many paths lie below those of a date.
    np.put_along_axis(below, order, np.cumsum(ordered, axis=0, dtype=np.int32) - ordered, axis=0)
    # The paths of one date are numbered, and the numbers turned round by a random amount in each column.
    number = _numbers(drawn, count)
    turn = rng.integers(np.maximum(count, 1)[:, None], size=flat.shape, dtype=np.int32)
    place = turn[drawn]
    place += number[:, None]
    place -= np.where(place >= count[drawn, None], count[drawn, None], np.int32(0))
    place += below[drawn]
    return place.reshape(len(drawn), *values.shape[1:])


def _numbers(drawn: Int[np.ndarray, " path"], count: Int[np.ndarray, " date"]) -> Int[np.ndarray, " path"]:
    """0, 1, 2, … among the paths of the same date: dates 5 2 5 5 → 0 0 1 2."""
    order = np.argsort(drawn, kind="stable")
    first = np.cumsum(count) - count
    numbers = np.empty(len(drawn), np.int32)
    numbers[order] = np.arange(len(drawn)) - first[drawn[order]]
    return numbers


def coupled(
    values: Float[np.ndarray, "date step variable"],
    drawn: Int[np.ndarray, " path"],
    quantiles: Float[np.ndarray, "step variable quantile"],
    levels: tuple[float, ...],
    tails: Float[np.ndarray, "step variable 2 2"] | None,
    *,
    ticker: str,
    seed: int,
) -> Float[np.ndarray, "path step variable"]:
    """One ticker's part of the joint paths, as log(price / last close), before any candle is made coherent.

    Args:
        values: what followed each date, standardised (`Stretches.values`).
        quantiles: the forecast's.
        tails: the run's; exponential ones if absent.
    """
    rng = np.random.default_rng([seed, zlib.crc32(ticker.encode())])  # crc32: Python's own hash differs by process
    shares = (np.arange(len(drawn)) + 0.5) / len(drawn)
    sorted_moves = inverse(
        quantiles, levels, exponential_tails(quantiles, levels) if tails is None else tails, shares
    ).astype(np.float32)
    place = ranks(values, drawn, rng)
    found = np.empty(place.shape, np.float32)
    for step in range(place.shape[1]):
        for variable in range(place.shape[2]):
            np.take(sorted_moves[step, variable], place[:, step, variable], out=found[:, step, variable])
    return found


def coherent_paths(moves: Float[np.ndarray, "path step 4"]) -> Float[np.ndarray, "path step 4"]:
    """High raised to, and low lowered to, open and close; open and close stay as they are."""
    return coherent(moves[..., None])[..., 0]
