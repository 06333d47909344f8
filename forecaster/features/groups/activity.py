"""Trading activity and the calendar of the day itself."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.features import GROUPS, candles_alone, looks_back
from forecaster.features.candles import Candles

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@GROUPS.register("volume")
@looks_back(0)
def volume(candles: Candles) -> Mapping[str, np.ndarray]:
    """How busy the day was, beside the days before it.

    Columns:
        log_volume [log ratio; half-life 20]: Log volume minus its EWMA, clipped at ±3.
    """
    return {"log_volume": np.clip(candles.log_volume - candles.usual_volume, -3, 3)}


@GROUPS.register("weekday")
@candles_alone
def weekday(candles: Candles) -> Mapping[str, np.ndarray]:
    """Weekday of the candle; all are 0 at weekends, where crypto trades.

    Columns:
        {monday|tuesday|wednesday|thursday|friday} [0 or 1; same day]: The candle is of this weekday.
    """
    # Day 0 of datetime64 is Thursday, 1970-01-01.
    day = (candles.sessions.astype(np.int64) + 3) % 7
    return {name: (day == number).astype(np.float64) for number, name in enumerate(_WEEKDAYS)}
