"""The scale that the networks start from, and nothing else."""

from __future__ import annotations

import numpy as np

from forecaster.data.splits import Period
from forecaster.evaluation.baselines import BASELINES, Forecaster, scaled
from forecaster.features.dataset import Dataset


@BASELINES.register("ewma-garman-klass")
def ewma_garman_klass(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:
    """Volatility from whole candles (see `Candles.scale`) · √step × the pooled quantiles in its units."""
    return scaled(dataset, period, levels, dataset.units(np.arange(len(dataset.panel.sessions))))
