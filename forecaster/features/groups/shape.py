"""What a ticker's volatility consists of: overnight gaps, wicks, returns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone
from forecaster.features.candles import Candles, Measure, square_return

_HALF_LIFE = (66.0,)


@GROUPS.register("shape")
@candles_alone
def shape(candles: Candles) -> Mapping[str, np.ndarray]:
    """What the ticker's volatility of the last months consists of: gaps, wicks or returns.

    Each is the log of a mean over the volatility of the same half-life, plus a constant that centres it near 0.

    Columns:
        gap [log ratio; half-life 66]: Root mean square of log(open / previous close).
        {upper_wick|lower_wick} [log ratio; half-life 66]: Mean of the wick.
        move [log ratio; half-life 66]: Mean of |log(close / previous close)|.
        square_move [log ratio; half-life 66]: Root mean square of log(close / previous close).
    """
    volatility = candles.volatility(_HALF_LIFE)[..., 0]

    def share(size: np.ndarray, centre: float) -> np.ndarray:
        # A coin never gaps, so its mean gap is 0: the log needs a floor.
        return np.log(np.maximum(size / volatility, 0.02)) + centre

    def mean(measure: Measure) -> np.ndarray:
        return candles.mean(measure, _HALF_LIFE)[..., 0]

    return {
        "gap": share(np.sqrt(mean(_square_gap)), 1.0),
        "upper_wick": share(mean(_upper_wick), 1.2),
        "lower_wick": share(mean(_lower_wick), 1.2),
        "move": share(mean(_move), 0.4),
        "square_move": share(np.sqrt(mean(square_return)), 0.0),
    }


def _square_gap(candles: Candles) -> np.ndarray:
    square: np.ndarray = candles.gap**2
    return square


def _upper_wick(candles: Candles) -> np.ndarray:
    return candles.upper_wick


def _lower_wick(candles: Candles) -> np.ndarray:
    return candles.lower_wick


def _move(candles: Candles) -> np.ndarray:
    return np.abs(candles.returns)
