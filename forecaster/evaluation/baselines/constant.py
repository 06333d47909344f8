"""What never changes, or changes steadily."""

from __future__ import annotations

import numpy as np

from forecaster.data.splits import Period
from forecaster.evaluation.baselines import BASELINES, Forecaster, scaled
from forecaster.features.dataset import Dataset, Rows


@BASELINES.register("constant")
def constant(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:
    """The pooled quantiles of past moves, the same every day: no knowledge of today's volatility at all."""
    return scaled(dataset, period, levels, np.ones((len(dataset.panel.sessions), len(dataset.steps))))


@BASELINES.register("drift")
def drift(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:
    """The last close plus the mean move of a close over so many sessions, pooled over tickers, as every quantile."""
    rows = dataset.origins(period)
    known = dataset.known(rows, period)
    closes = dataset.moves(rows)[..., 3]
    mean = np.array([closes[known[:, place], place].mean() for place in range(len(dataset.steps))])

    def forecast(origins: Rows) -> np.ndarray:
        shape = (len(origins), len(mean), 4, len(levels))
        return np.broadcast_to(mean[:, None, None], shape).copy()

    return forecast
