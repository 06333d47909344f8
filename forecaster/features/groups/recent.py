"""The last days, one by one, and the range over a day, a week, a month and a quarter: what least squares lacks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.axes import Float
from forecaster.features import GROUPS, looks_back
from forecaster.features.candles import SCALE_FLOOR, Candles

_SPANS = (1, 5, 22, 66)
_DAYS = 10
_WEEK = 5


@GROUPS.register("range")
@looks_back(max(_SPANS))
def price_range(candles: Candles) -> Mapping[str, np.ndarray]:
    """The log range high − low of the last day, week, month and quarter: HAR's terms (Corsi 2009), of ranges.

    Columns:
        mean_{1|5|22|66} [log ratio; 1 · 5 · 22 · 66 sessions]: Mean of log(max(log(high / low), 0.001) / volatility).
    """
    logs = np.log(np.maximum(candles.high - candles.low, SCALE_FLOOR))
    return {f"mean_{sessions}": _mean(logs, sessions) - np.log(candles.scale) for sessions in _SPANS}


@GROUPS.register("shocks")
@looks_back(_DAYS)
def shocks(candles: Candles) -> Mapping[str, np.ndarray]:
    """The shocks of the nine sessions before the last one, each in units of that day's own volatility.

    Columns:
        shock_{1|2|3|4|5|6|7|8|9} [log ratio; 1 to 9 sessions]: `vol.shock` so many sessions ago, clipped to −3 to 3.
    """
    shock = np.clip(candles.shock, -3, 3)
    return {f"shock_{days}": candles.lag(shock, days) for days in range(1, _DAYS)}


@GROUPS.register("market_week")
@looks_back(_WEEK)
def market_week(candles: Candles) -> Mapping[str, np.ndarray]:
    """The market's four days before the last one: see `market`.

    Columns:
        shock_{1|2|3|4} [log ratio; 1 to 4 sessions]: `market.shock` so many sessions ago.
        move_{1|2|3|4} [volatility; 1 to 4 sessions]: `market.move` so many sessions ago.
    """
    means = candles.market().at(candles.sessions, candles.calendars)
    return {
        f"{name}_{days}": candles.lag(means[..., column], days)
        for name, column in (("shock", 0), ("move", 2))
        for days in range(1, _WEEK)
    }


def _mean(values: Float[np.ndarray, "time ticker"], sessions: int) -> Float[np.ndarray, "time ticker"]:
    """Mean over the last sessions, those before the ticker's start left out."""
    sums = np.cumsum(np.nan_to_num(values), axis=0)
    counts = np.minimum(np.arange(1, len(values) + 1), sessions)[:, None]
    sums[sessions:] -= sums[:-sessions].copy()
    mean: np.ndarray = sums / counts
    return mean
