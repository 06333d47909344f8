"""The shape of a candle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone
from forecaster.features.candles import Candles


@GROUPS.register("base")
@candles_alone
def base(candles: Candles) -> Mapping[str, np.ndarray]:
    """Gap, body and wicks of the candle.

    Columns:
        gap [volatility; 1 session]: log(open / previous close).
        body [volatility; same day]: log(close / open).
        upper_wick [volatility; same day]: log(high / the higher of open and close).
        lower_wick [volatility; same day]: log(the lower of open and close / low).
    """
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
    """The four prices over the previous close.

    Columns:
        {open|high|low|close} [log percent; 1 session]: 100 · log(price / previous close).
    """
    # In percent, not volatilities: a move of more than 8 % is cut off by `compute.CLIP`.
    names = ("open", "high", "low", "close")
    moves = 100 * (candles.logs - candles.previous_close[..., None])
    return {name: moves[..., column] for column, name in enumerate(names)}
