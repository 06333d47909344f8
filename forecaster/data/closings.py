"""What is known of one exchange at the close of another one's day."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Int, Shaped
from forecaster.data import exchanges
from forecaster.data.calendars import has_closings

_EARLIEST, _LATEST = np.timedelta64(-14, "h"), np.timedelta64(36, "h")
"""A day begins no earlier, and ends no later, than so long after its midnight in UTC, in any time zone."""


def newest_known(
    dates: Shaped[np.ndarray, " time"], calendar: str, days: Shaped[np.ndarray, " day"], other: str
) -> Int[np.ndarray, " day"]:
    """Place in `dates` of the newest session that has closed by the close of each day, and has no later date.

    −1 where none has. On the same calendar that is the session of the day itself. An exchange that closes later counts
    with the session before: New York for Tokyo, and any exchange on the other's short days. Where the hours of a day
    are unknown, a session closes with its day in the last time zone, and the other's day closes as it begins in the
    first.

    Args:
        dates: sessions of the exchange with the calendar `calendar`, ascending.
        days: sessions of the exchange with the calendar `other`.
    """
    dated = np.searchsorted(dates, days, "right") - 1
    if calendar == other:
        return dated
    # Ascending even where a day of unknown hours ends after the close of the next.
    closed = np.maximum.accumulate(_closings(calendar, dates, _LATEST).astype(np.int64))
    known = np.searchsorted(closed, _closings(other, days, _EARLIEST).astype(np.int64), "right") - 1
    # No exchange closes so late that a later date would be known; `Panel.until`, which cuts by date, relies on it.
    return np.minimum(dated, known)


def _closings(calendar: str, days: Shaped[np.ndarray, " day"], unknown: np.timedelta64) -> Shaped[np.ndarray, " day"]:
    """UTC time, in seconds, at which each day's session closes; midnight plus `unknown` where the hours are unknown."""
    times = days.astype("datetime64[s]") + unknown
    if not len(days) or not has_closings(calendar):
        return times
    # Whole years, so that tickers with different first days share one cached lookup.
    start, end = days.min().astype("datetime64[Y]"), days.max().astype("datetime64[Y]") + 1
    sessions, closes = exchanges.closings(calendar, start.astype("datetime64[D]"), end.astype("datetime64[D]"))
    if len(sessions):
        places = np.minimum(np.searchsorted(sessions, days), len(sessions) - 1)
        regular = sessions[places] == days
        times[regular] = closes[places[regular]]
    return times
