"""How a ticker's movement is made up: overnight or by day, in wicks or in returns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone
from forecaster.features.candles import Candles

_HALF_LIFE = (66.0,)


@GROUPS.register("shape")
@candles_alone
def shape(candles: Candles) -> Mapping[str, np.ndarray]:
    """Long shares of gap, wicks and returns in the volatility of the same half-life, as centred logs."""
    volatility = candles.volatility(_HALF_LIFE)[..., 0]

    def share(size: np.ndarray, centre: float) -> np.ndarray:
        return np.log(np.maximum(size / volatility, 0.02)) + centre

    def mean(values: np.ndarray) -> np.ndarray:
        return candles.mean(values, _HALF_LIFE)[..., 0]

    return {
        "gap": share(np.sqrt(mean(candles.gap**2)), 1.0),
        "upper_wick": share(mean(candles.upper_wick), 1.2),
        "lower_wick": share(mean(candles.lower_wick), 1.2),
        "move": share(mean(np.abs(candles.returns)), 0.4),
        "square_move": share(np.sqrt(mean(candles.returns**2)), 0.0),
    }
