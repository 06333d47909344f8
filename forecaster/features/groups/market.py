"""Averages over all tickers of the exchange on the day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, looks_back
from forecaster.features.candles import MARKET_NAMES, Candles


@GROUPS.register("market")
@looks_back(0)
def market(candles: Candles) -> Mapping[str, np.ndarray]:
    """Means of shock, volatility, move and term structure over the tickers of the run."""
    means = candles.market().at(candles.sessions, candles.calendars)
    return {name: means[..., column] for column, name in enumerate(MARKET_NAMES)}
