"""Nothing changes."""

from __future__ import annotations

import numpy as np

from forecaster.data.splits import Period
from forecaster.evaluation.baselines import BASELINES, Forecaster
from forecaster.features.dataset import Dataset, Rows


@BASELINES.register("last-close")
def last_close(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:  # noqa: ARG001
    """The last close carried forward, for all four prices and as every quantile: an echo shows by its side."""

    def forecast(rows: Rows) -> np.ndarray:
        return np.zeros((len(rows), len(dataset.steps), 4, len(levels)))

    return forecast
