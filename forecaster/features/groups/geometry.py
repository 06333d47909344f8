"""The shape of a candle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone
from forecaster.features.candles import Candles


@GROUPS.register("base")
@candles_alone
def base(candles: Candles) -> Mapping[str, np.ndarray]:
    """Gap, body, upper and lower wick, in units of the volatility known at the close."""
    scale = candles.scale
    return {
        "gap": candles.gap / scale,
        "body": candles.body / scale,
        "upper_wick": candles.upper_wick / scale,
        "lower_wick": candles.lower_wick / scale,
    }


@GROUPS.register("ohlc")
@candles_alone
def ohlc(candles: Candles) -> Mapping[str, np.ndarray]:
    """Log of each of the four prices over the previous close, in percent."""
    names = ("open", "high", "low", "close")
    moves = 100 * (candles.logs - candles.previous_close[..., None])
    return {name: moves[..., column] for column, name in enumerate(names)}
