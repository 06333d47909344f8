"""Averages over all tickers of the exchange on the day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, looks_back
from forecaster.features.candles import MARKET_NAMES, Candles


@GROUPS.register("market")
@looks_back(0)
def market(candles: Candles) -> Mapping[str, np.ndarray]:
    """Means over the tickers of the run on the exchange that day.

    Columns:
        shock [log ratio; half-life 11]: Mean of `vol.shock`.
        log_scale [log / 0.5; half-life 11]: Mean of `vol.log_scale`.
        move [volatility; 1 session]: Mean of log(close / previous close), clipped at ±4.
        log_scale_{3|66} [log ratio; half-life 3 · 66]: Mean of `vol.log_scale_3` and of `vol.log_scale_66`.
    """
    means = candles.market().at(candles.sessions, candles.calendars)
    return {name: means[..., column] for column, name in enumerate(MARKET_NAMES)}
