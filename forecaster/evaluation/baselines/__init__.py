"""Forecasts that need no network: what every evaluation is held against.

A baseline is a function of data, the period it may learn from, and levels; it gives a forecaster.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from numpy import ndarray

from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Rows
from forecaster.registry import Registry

Forecaster = Callable[[Rows], Float[ndarray, "origin horizon variable quantile"]]
"""Origins → coherent quantiles of log(price / last close)."""

Baseline = Callable[[Dataset, Period, tuple[float, ...]], Forecaster]

BASELINES: Registry[Baseline] = Registry("baseline", __name__)
