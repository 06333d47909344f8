"""Heterogeneous autoregression of volatility: day, week and month, by least squares.

Source: Corsi (2009), "A Simple Approximate Long-Memory Model of Realized Volatility".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import BASELINES, Fitted, Scaled, Scales
from forecaster.data.splits import Period
from forecaster.features.blocks import by_block
from forecaster.features.candles import SCALE_FLOOR, Candles
from forecaster.features.dataset import Dataset, Rows

_SPANS = (5, 22)
"""A week and a month, in sessions."""

REACH = max(_SPANS)
"""Sessions that the terms look back."""

TERMS = 2 + len(_SPANS)
"""Weights of the intercept and of HAR's own terms: those of the features follow."""

_RIDGE = 1e-6
_CHUNK = 32_768

Terms = Callable[[Rows], Float[np.ndarray, "origin term"]]
"""Rows → regressors. A function, because the regressors of all rows would not fit in memory."""


def har(dataset: Dataset) -> Terms:
    """log volatility of the day, the week and the month."""
    terms = by_block(dataset.panel, _terms)
    return lambda rows: terms[rows]


def harx(dataset: Dataset) -> Terms:
    """HAR plus the run's features: least squares on the network's inputs."""
    terms = by_block(dataset.panel, _terms)
    return lambda rows: np.hstack([terms[rows], dataset.features.values[rows]])


def scales(terms: Callable[[Dataset], Terms], dataset: Dataset, fitted: Fitted) -> Scales:
    """Expected volatility of the day `step` sessions ahead."""
    regressors, weights = terms(dataset), np.ascontiguousarray(fitted["weights"])

    def of(rows: Rows) -> Float[np.ndarray, "origin horizon"]:
        parts = np.split(rows, range(_CHUNK, len(rows), _CHUNK))
        # One matmul per row: in a larger matmul, a row's last bits depend on its position.
        logs = [np.matmul(_design(regressors, part)[:, None, :], weights)[:, 0] for part in parts]
        return np.exp(np.concatenate(logs))

    return of


def _learn(terms: Callable[[Dataset], Terms], dataset: Dataset, period: Period) -> Fitted:
    """Intercept and weights for each step, from the origins whose outcome is known in the period."""
    return {"weights": _least_squares(dataset, period, terms(dataset))}


def _least_squares(dataset: Dataset, period: Period, terms: Terms) -> Float[np.ndarray, "weight horizon"]:
    target = by_block(dataset.panel, _log_volatility)
    rows = dataset.origins(period)
    known = dataset.known(rows, period)
    size, ahead = _design(terms, rows[:1]).shape[1], np.asarray(dataset.steps)
    # Normal equations by step, summed chunk by chunk: [horizon, weight, weight] and [horizon, weight].
    squares, products = np.zeros((len(ahead), size, size)), np.zeros((len(ahead), size))
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        design, mask = _design(terms, rows[chunk]), known[chunk]
        # Past the last row any value will do: `known` is false there.
        outcome = target[np.minimum(rows[chunk, None] + ahead, len(target) - 1)]
        whole = design.T @ design
        for place in range(len(ahead)):
            # Nearly all outcomes are known: subtracting the few missing ones is cheaper than another full product.
            missing = design[~mask[:, place]]
            squares[place] += whole - missing.T @ missing
            products[place] += design.T @ np.where(mask[:, place], outcome[:, place], 0.0)
    # Keeps the system solvable if a regressor is constant; relative to the rows, since the squares grow with them.
    squares += _RIDGE * len(rows) * np.eye(size)
    return np.linalg.solve(squares, products[..., None])[..., 0].T


def _design(terms: Terms, rows: Rows) -> Float[np.ndarray, "origin weight"]:
    values = terms(rows)
    return np.hstack([np.ones((len(rows), 1)), values])


def _log_volatility(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    return np.log(np.maximum(np.sqrt(np.nan_to_num(candles.variance)), SCALE_FLOOR))


def _terms(candles: Candles) -> Float[np.ndarray, "time ticker term"]:
    """Logs of the day's volatility and of the root mean variance of a week and a month."""
    variance = np.nan_to_num(candles.variance)
    means = [_log_root_mean(variance, sessions) for sessions in _SPANS]
    return np.stack([_log_volatility(candles), *means], axis=-1)


def _log_root_mean(variance: Float[np.ndarray, "time ticker"], sessions: int) -> Float[np.ndarray, "time ticker"]:
    # The first rows divide a shorter sum by all sessions; no origin is as young as that (`READY_AGE`).
    sums = np.cumsum(variance, axis=0)
    sums[sessions:] -= sums[:-sessions].copy()
    return 0.5 * np.log(np.maximum(sums / sessions, SCALE_FLOOR**2))


for _name, _regressors, _sentence in (
    (
        "har",
        har,
        "A random walk whose spread is least squares on the volatility of the last day, week and month (HAR).",
    ),
    ("harx", harx, "HAR plus the run's features: least squares on all inputs of a network."),
):
    _baseline = Scaled(partial(scales, _regressors), partial(_learn, _regressors), reach=REACH)
    BASELINES.add(_name, _baseline, _sentence)
