"""Gradient boosting of volatility: least squares on all features (HARX), and trees for what it misses at step 1.

The trees share one log scale over the four prices: quantiles = HARX's · e^f. They minimise the pinball loss of these
quantiles, as the networks' scale head does, by Newton steps with a constant curvature (Friedman 2001, "Greedy Function
Approximation"; LightGBM: Ke et al. 2017). At later steps they lost in storms what they gained in calm years
(benchmarks/skill), so HARX alone answers there. Training needs LightGBM, an extra; a forecast needs numpy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Bool, Float
from forecaster.baselines import BASELINES, Fitted, Scaled, Scales, har
from forecaster.baselines.trees import Trees, from_lightgbm
from forecaster.cores import threads
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.features.dataset import Dataset, Rows

_TREES = 100
_PARAMETERS = {
    "learning_rate": 0.06,
    "num_leaves": 31,
    "min_data_in_leaf": 400,
    "min_sum_hessian_in_leaf": 0.0,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "feature_pre_filter": False,
    "deterministic": True,  # the same trees with any number of threads
    "force_row_wise": True,
    "seed": 0,
    "verbose": -1,
}
_FURTHEST = 30.0
"""Moves are clipped at so many units in the loss, as those of the networks are."""

_SAY_EVERY = 5.0
"""Seconds between two messages."""

Objective = Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class _Boosted(Scaled):
    """HARX, and trees beside its weights."""

    reports: bool = True

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...], say: Say = lambda _: None) -> Fitted:
        linear = BASELINES["harx"].fit(dataset, period, levels)
        return {**linear, **_boost(dataset, period, linear, levels, say).arrays()}


def require_lightgbm() -> Any:
    """The LightGBM library.

    Raises:
        InputError: it is not installed.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise InputError(
            "gbm needs the lightgbm library to train: pip install 'stock-forecaster[gbm]' (a forecast does not)."
        ) from error
    return lightgbm


def _scales(dataset: Dataset, fitted: Fitted) -> Scales:
    """HARX's scales, that of the first step times e^(sum of the trees)."""
    features = dataset.features.values
    trees, linear = _trees(fitted, features.shape[1]), har.scales(har.harx, dataset, fitted)

    def scales(rows: Rows) -> Float[np.ndarray, "origin horizon"]:
        found = linear(rows)
        found[:, 0] *= np.exp(trees.predict(features[rows]))
        return found

    return scales


def _trees(fitted: Fitted, features: int) -> Trees:
    learnt = len(fitted["weights"]) - har.TERMS
    if learnt != features:
        raise InputError(
            f"gbm was fitted to {learnt} features, but the config's groups have {features}: train it again."
        )
    try:
        return Trees.of(fitted, features)
    except ValueError as error:
        raise InputError(f"gbm cannot be used: {error}. Train it again.") from error


def _boost(dataset: Dataset, period: Period, linear: Fitted, levels: tuple[float, ...], say: Say) -> Trees:
    lightgbm = require_lightgbm()
    rows = dataset.origins(period)
    unit = har.scales(har.harx, dataset, linear)(rows)[:, :1]
    moves = np.clip(dataset.moved(rows, dataset.steps[0]) / unit, -_FURTHEST, _FURTHEST).astype(np.float32)
    objective = _objective(moves, dataset.scored(rows), linear["pooled"][0], np.asarray(levels))
    inputs = lightgbm.Dataset(dataset.features.values[rows], np.zeros(len(rows)))
    parameters = _PARAMETERS | {"objective": objective, "num_threads": threads()}
    return from_lightgbm(lightgbm.train(parameters, inputs, _TREES, callbacks=[_reporter(say)]).dump_model())


def _reporter(say: Say) -> Callable[[Any], None]:
    """Says after each tree how many there are, at most every few seconds: 200 tickers take half a minute."""
    said = time.monotonic()

    def report(state: Any) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAY_EVERY:
            said = time.monotonic()
            say(f"fitting gbm: tree {state.iteration + 1} of {_TREES}")

    return report


def _objective(
    moves: Float[np.ndarray, "origin variable"],
    scored: Bool[np.ndarray, "origin variable"],
    base: Float[np.ndarray, "variable quantile"],
    levels: Float[np.ndarray, " quantile"],
) -> Objective:
    """Gradient of the pinball loss in the log scale, over its curvature at 0: the mean of the prices. Hessian 1."""
    known = [scored[:, price] & np.isfinite(moves[:, price]) for price in range(moves.shape[1])]
    curves = [
        _curvature(moves[mask, price], base[price], levels) if mask.any() else 0.0 for price, mask in enumerate(known)
    ]
    prices = [price for price, curve in enumerate(curves) if curve > 0]  # a price that never moves has none

    def objective(logs: np.ndarray, data: Any) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG001
        scale, total = np.exp(logs.astype(np.float32)), np.zeros(len(logs), np.float32)
        for price in prices:
            slope = _slope(moves[:, price], base[price], levels, scale) / np.float32(curves[price] * len(prices))
            np.add(total, slope, out=total, where=known[price])
        return total, np.ones(len(logs), np.float32)

    return objective


def _slope(
    moves: Float[np.ndarray, " origin"],
    base: Float[np.ndarray, " quantile"],
    levels: Float[np.ndarray, " quantile"],
    scale: Float[np.ndarray, " origin"],
) -> Float[np.ndarray, " origin"]:
    """d/df of the mean over levels of pinball(move, base · e^f), with e^f the scale: mean (1[move < q] − τ) q."""
    below, total = moves / scale, np.full(len(moves), -np.sum(levels * base), np.float32)
    for quantile in base.astype(np.float32):
        np.add(total, quantile, out=total, where=below < quantile)
    found: np.ndarray = total * scale / np.float32(len(levels))
    return found


def _curvature(
    moves: Float[np.ndarray, " origin"], base: Float[np.ndarray, " quantile"], levels: Float[np.ndarray, " quantile"]
) -> float:
    """Second derivative of the mean loss at scale 1, by a difference: the loss itself has corners."""
    ends = [
        _slope(moves, base, levels, np.full(len(moves), np.exp(log), np.float32)).mean(dtype=np.float64)
        for log in (0.1, -0.1)
    ]
    return float(ends[0] - ends[1]) / 0.2


BASELINES.add(
    "gbm",
    _Boosted(_scales, reach=har.REACH, library=require_lightgbm),
    "Gradient boosting: HARX, and 100 trees for what it misses at the first step; training needs the lightgbm library.",
)
