"""The random walk whose spread follows the last days' returns."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float
from forecaster.data.splits import Period
from forecaster.evaluation.baselines import BASELINES, Forecaster, scaled
from forecaster.features.blocks import by_block
from forecaster.features.candles import SCALE_FLOOR, Candles
from forecaster.features.dataset import Dataset

_HALF_LIFE = float(np.log(0.5) / np.log(0.94))
"""The decay .94 of RiskMetrics as a half-life, in sessions."""


@BASELINES.register("ewma-random-walk")
def ewma_random_walk(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:
    """EWMA(.94) volatility of returns × the pooled quantiles of moves in its units, a set for each step and price.

    Source: J.P. Morgan/Reuters, RiskMetrics Technical Document (1996).
    """
    sigma = by_block(dataset.panel, _volatility)
    return scaled(dataset, period, levels, np.repeat(sigma[:, None], len(dataset.steps), axis=1))


def _volatility(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    variance = candles.mean(candles.returns**2, (_HALF_LIFE,))[..., 0]
    volatility: np.ndarray = np.sqrt(np.maximum(np.nan_to_num(variance), SCALE_FLOOR**2))
    return volatility
