"""Forecasts that need no network: what every evaluation is held against.

A baseline is a function of data, the period it may learn from, and levels; it gives a forecaster.
"""

from __future__ import annotations

from collections.abc import Callable

from numpy import ndarray

from forecaster.axes import Float
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Rows, pooled_quantiles
from forecaster.inference.coherence import coherent
from forecaster.registry import Registry

Forecaster = Callable[[Rows], Float[ndarray, "origin horizon variable quantile"]]
"""Origins → coherent quantiles of log(price / last close)."""

Baseline = Callable[[Dataset, Period, tuple[float, ...]], Forecaster]

BASELINES: Registry[Baseline] = Registry("baseline", __name__)


def scaled(
    dataset: Dataset, period: Period, levels: tuple[float, ...], scales: Float[ndarray, "row horizon"]
) -> Forecaster:
    """The forecaster that most baselines are: a scale known at the origin × the pooled quantiles in its units.

    Args:
        scales: for every row of the panel and step.
    """
    pooled = pooled_quantiles(dataset, period, scales, levels)
    return lambda rows: coherent(scales[rows][..., None, None] * pooled)
