"""Seasonal features: the same point of earlier quarters (earnings come every 13 weeks), and the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from forecaster.axes import Float, Float32, Int
from forecaster.features import GROUPS, candles_alone, looks_back
from forecaster.features.candles import Candles

_QUARTER = np.timedelta64(91, "D")
_SEASONS = (1, 2, 3, 4)
_EARNINGS = (1, 2, 3, 4, 8, 12)
_OFFSETS = range(-3, 8)
_MARGIN = 8
"""Extra sessions read around the same date, including one for the previous day's usual volume."""

_EVENT = 1.5
"""Smallest shock in volatility and volume that counts as an event."""

_NO_EVENT = 250
"""Cap on sessions since the last event, and the value before a ticker's first event."""


@GROUPS.register("season")
@looks_back(_MARGIN, days=91 * max(_SEASONS))
def season(candles: Candles) -> Mapping[str, np.ndarray]:
    """Shocks around the next session's date in earlier quarters: earnings come every 13 weeks.

    A shock is `vol.shock`, clipped to −2 to 3. A quarter is 91 days.

    Columns:
        day_{1|2|3|4} [log ratio; 1 · 2 · 3 · 4 quarters]: Largest shock on that date and the sessions beside it.
        week_{1|2|3|4} [log ratio; 1 · 2 · 3 · 4 quarters]: Largest shock on that date and the 5 sessions after it.
    """
    shock = Past(np.nan_to_num(candles.shock))
    columns = {}
    for quarters in _SEASONS:
        row = quarters_ago(candles, quarters)
        for name, offsets in (("day", range(-1, 2)), ("week", range(6))):
            largest = reduce(np.maximum, (shock.at(row + offset) for offset in offsets))
            columns[f"{name}_{quarters}"] = np.clip(largest, -2, 3)
    return columns


@GROUPS.register("earnings")
@looks_back(_MARGIN, days=91 * max(_EARNINGS))
def earnings(candles: Candles) -> Mapping[str, np.ndarray]:
    """Events near the next session's date in earlier quarters, and the time since the last event.

    The size of an event is 0.7 · `vol.shock` + log(volume / usual volume of the day before), the log clipped to −1 to 2
    and the sum to −1 to 3; above 1.5 it counts as one. A quarter is 91 days.

    Columns:
        quarter_{1|2|3|4|8|12}_{-3..+7} [event size; 1 to 12 quarters]: Size of the event, by sessions from that date.
        since_{5|20} [0 to 1; 250 sessions]: exp(−sessions since the last event / 5), and / 20.
        season_due [0 or 1; 250 sessions]: The last event was 51 to 69 sessions ago.
        season_past [0 or 1; 250 sessions]: The last event was less than 40 sessions ago.
    """
    event = event_size(candles)
    past = Past(event)
    columns = {}
    for quarters in _EARNINGS:
        row = quarters_ago(candles, quarters)
        for offset in _OFFSETS:
            columns[f"quarter_{quarters}_{offset:+d}"] = past.at(row + offset)
    age = sessions_since(event > _EVENT)
    return columns | {
        "since_5": np.exp(-age / 5),
        "since_20": np.exp(-age / 20),
        "season_due": ((age > 50) & (age < 70)).astype(np.float64),
        "season_past": (age < 40).astype(np.float64),
    }


def event_size(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    """0.7·shock + log(volume / usual volume of the day before), clipped; 0 where there is no previous close."""
    # Of the day before: a mean that holds today's own volume already would dampen the event.
    usual = candles.lag(candles.usual_volume, 1)
    louder = np.clip(np.nan_to_num(candles.log_volume - usual), -1, 2)
    return np.nan_to_num(np.clip(0.7 * candles.shock + louder, -1, 3))


def quarters_ago(candles: Candles, quarters: int) -> Int[np.ndarray, "time ticker"]:
    """Row of the first session on or after (next session − quarters · 91 days); −1000 before the start."""
    target = candles.following - quarters * _QUARTER
    # −1000: so far below 0 that it stays there with any offset added, and `Past` answers 0.
    rows = np.full(target.shape, -1000, np.int32)
    for column in range(target.shape[1]):
        sessions = candles.sessions[:, column]
        length = int(np.count_nonzero(~np.isnat(sessions)))
        found = np.searchsorted(sessions[:length], target[:length, column])
        # searchsorted gives row 0 for every date before the first session, though that session is not the date's.
        rows[:length, column] = np.where(target[:length, column] < sessions[0], -1000, found)
    return rows


class Past:
    """Values looked up by row: capped at the present row (no look-ahead), and 0 before the ticker's start."""

    def __init__(self, values: Float[np.ndarray, "time ticker"]) -> None:
        times, tickers = values.shape
        # Row r of a ticker is stored at r + 1, below a row of zeros. One flat array, because `take` is the fastest
        # gather, and `earnings` alone looks up 66 columns.
        self._flat = np.concatenate([np.zeros(tickers, np.float32), values.astype(np.float32).ravel()])
        self._present = np.arange(times, dtype=np.int32)[:, None]
        self._column = np.arange(tickers, dtype=np.int32)
        self._tickers = tickers

    def at(self, row: Int[np.ndarray, "time ticker"]) -> Float32[np.ndarray, "time ticker"]:
        """Each ticker's value at the requested row."""
        wanted = np.maximum(np.minimum(row, self._present), -1)  # row −1 is a row of zeros
        return self._flat.take((wanted + 1) * self._tickers + self._column)


def sessions_since(happened: np.ndarray) -> Float[np.ndarray, "time ticker"]:
    """Rows since the last event: 0 on the day itself, at most `_NO_EVENT`."""
    rows = np.arange(len(happened))[:, None]
    # An event at row 2 of 4: −250 −250 2 −250, accumulated −250 −250 2 2, so ages 250 251 0 1, capped at 250.
    latest = np.maximum.accumulate(np.where(happened, rows, -_NO_EVENT), axis=0)
    return np.minimum(rows - latest, _NO_EVENT).astype(np.float64)


@GROUPS.register("calendar")
@candles_alone
def calendar(candles: Candles) -> Mapping[str, np.ndarray]:
    """The next session's place in the quarter and in the year, by the exchange's calendar.

    Columns:
        third_{0..8} [0 or 1; next session]: Its third of its month of the quarter: days 1–9, 10–19 or from 20 on.
        long_pause [0 or 1; next session]: It is more than 3 days away.
        pause [0 or 1; next session]: It is 2 days away, beyond a holiday.
        december [0 or 1; next session]: It is in December.
    """
    following = candles.following
    month = following.astype("datetime64[M]").astype(np.int64) % 12
    day = (following - following.astype("datetime64[M]")).astype(np.int64) + 1
    pause = (following - candles.sessions).astype(np.int64)
    third = (month % 3) * 3 + np.minimum(day // 10, 2)
    columns = {f"third_{number}": (third == number).astype(np.float64) for number in range(9)}
    return columns | {
        # Friday to Monday is 3 days: more is a long weekend, and 2 a holiday within the week.
        "long_pause": (pause > 3).astype(np.float64),
        "pause": (pause == 2).astype(np.float64),
        "december": (month == 11).astype(np.float64),
    }
