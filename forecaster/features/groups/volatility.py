"""Volatility and trend of the ticker."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone
from forecaster.features.candles import Candles, centred_log_scale


@GROUPS.register("vol")
@candles_alone
def vol(candles: Candles) -> Mapping[str, np.ndarray]:
    """Level, latest shock and term structure of volatility, and recent returns.

    Columns:
        log_scale [log / 0.5; half-life 11]: (log(volatility) + 4.2) / 0.5, which is 0 at 1.5 % a day.
        shock [log ratio; half-life 11]: log(the day's own volatility / volatility).
        log_scale_{3|66|252} [log ratio; half-life 3 · 66 · 252]: log(volatility of this half-life / volatility).
        return_{5|22} [volatility; 5 · 22 sessions]: log(close / close so many sessions ago) / √sessions.
    """
    scale = candles.scale
    fast, slow, year = np.moveaxis(candles.volatility((3.0, 66.0, 252.0)), -1, 0)
    return {
        "log_scale": centred_log_scale(scale),
        "shock": candles.shock,
        "log_scale_3": np.log(fast / scale),
        "log_scale_66": np.log(slow / scale),
        "log_scale_252": np.log(year / scale),
        "return_5": (candles.close - candles.lag(candles.close, 5)) / (scale * np.sqrt(5)),
        "return_22": (candles.close - candles.lag(candles.close, 22)) / (scale * np.sqrt(22)),
    }
