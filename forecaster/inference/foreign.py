"""HAR fitted to a ticker's own candles, which forecasts tickers of markets that a run was not trained on.

Weights of one market are far off on another: coins open at the last close, and a network that learnt the overnight
gaps of stocks misses by more than a simple formula does (measured in benchmarks/pretrained). Such tickers get a formula
of their own instead, and the forecast says so.
"""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import FittedBaseline
from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows

FORMULA = "har"

_ERRORS = 60
"""Fewest errors to take quantiles of; a history as short as that is also warned about."""

_EVERY = 25
"""Sessions between two fits where many origins are forecast: weights of HAR hardly move within a month."""

_INDEPENDENT = 6
"""At least so many stretches of the furthest step that do not overlap: fewer say nothing about its quantiles."""

Quantiles = Float[np.ndarray, "origin horizon variable quantile"]


def needed(steps: tuple[int, ...]) -> int:
    """Fewest candles of a ticker whose formula is fitted to them alone."""
    return READY_AGE + _ERRORS + _INDEPENDENT * steps[-1]


def own_dataset(bars: Bars, steps: tuple[int, ...]) -> Dataset:
    """One ticker's whole history of at least `needed` candles, with no features but those that a formula needs."""
    panel = Panel.of([bars])
    return Dataset(panel, compute_features(panel, ("base",)), steps)


def own_quantiles(dataset: Dataset, rows: Rows, levels: tuple[float, ...]) -> Quantiles:
    """Quantiles of log(price / last close) by a formula that is fitted to what was known at each origin.

    Args:
        dataset: of one ticker, see `own_dataset`.
        rows: ascending; the formula is fitted again every 25th origin.
    """
    # Fitted to what was known at the first origin of each part: for the others a little old, but never too new.
    parts = [rows[start : start + _EVERY] for start in range(0, len(rows), _EVERY)]
    return np.concatenate([_fitted(dataset, int(part[0]), levels).bind(dataset)(part) for part in parts])


def _fitted(dataset: Dataset, origin: int, levels: tuple[float, ...]) -> FittedBaseline:
    return FittedBaseline.learnt(FORMULA, dataset, Period(None, dataset.panel.sessions[origin]), levels)
