"""A random walk whose spread is the EWMA volatility of returns."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import BASELINES, Fitted, Scaled, Scales
from forecaster.features.blocks import by_block
from forecaster.features.candles import SCALE_FLOOR, Candles, square_return
from forecaster.features.dataset import Dataset

_HALF_LIFE = float(np.log(0.5) / np.log(0.94))
"""RiskMetrics' decay 0.94 as a half-life, in sessions."""


def _scales(dataset: Dataset, fitted: Fitted) -> Scales:  # noqa: ARG001
    """EWMA(0.94) volatility of returns, the same for each step.

    Source: J.P. Morgan/Reuters, RiskMetrics Technical Document (1996).
    """
    sigma = daily_deviation(dataset)
    return lambda rows: np.repeat(sigma[rows, None], len(dataset.steps), axis=1)


def daily_deviation(dataset: Dataset) -> Float[np.ndarray, " row"]:
    """EWMA(0.94) volatility of the daily return, as known at each row."""
    return by_block(dataset.panel, _volatility)


def _volatility(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    variance = candles.mean(square_return, (_HALF_LIFE,))[..., 0]
    volatility: np.ndarray = np.sqrt(np.maximum(np.nan_to_num(variance), SCALE_FLOOR**2))
    return volatility


BASELINES.add(
    "ewma-random-walk",
    Scaled(_scales),
    "A random walk whose spread follows the last days' returns (EWMA, decay 0.94): the usual reference.",
)
