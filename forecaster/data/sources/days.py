"""Timestamps → exchange-local time, which decides the session that a candle belongs to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecaster.axes import Shaped
from forecaster.data import calendars
from forecaster.data.sources.datewords import Stamps
from forecaster.errors import DataError

MOST_OFF = 0.15
"""Maximum share of days without a session; above it the calendar or time zone is assumed to be wrong."""

_EVENING = np.timedelta64(16, "h")
_DAY = np.timedelta64(1, "D")


def exchange_time(stamps: Stamps, calendar: str, zone: str) -> Shaped[np.ndarray, " row"]:
    """Exchange-local time of each row, as datetime64[s] without a zone.

    A stamp without a zone is used as written. One with a zone is converted to the exchange's zone: midnight in Berlin
    is 22:00 or 23:00 UTC on the day before. Two conventions are recognised by which sessions they fit: midnight as a
    mere label of the day (00:00 UTC for New York), and an evening that opens the next day's session (Sunday 18:00 for
    futures). If both fit, midnight is a label.

    Raises:
        DataError: the days do not fit the calendar in any convention, so the calendar must be wrong.
    """
    aware = ~np.isnat(stamps.instant)
    if not aware.any():
        return stamps.wall
    local, written = _local(stamps.instant[aware], zone), stamps.wall[aware]
    label = bool((written == _days(written)).all())
    ways = [written, local] if label else [local, written]
    if (local - _days(local) >= _EVENING).all():
        ways.append(local + _DAY)
    off = [_no_session(way, calendar) for way in ways] if _differ(ways) else [_no_session(ways[0], calendar)]
    # On a tie argmin returns the first, so `ways` begins with the likelier one.
    best = int(np.argmin([len(days) for days in off]))
    if not label:
        _check(off[best], ways[best], calendar, zone)
    found = stamps.wall.copy()
    found[aware] = ways[best]
    return found


def _local(instants: Shaped[np.ndarray, " row"], zone: str) -> Shaped[np.ndarray, " row"]:
    moments = pd.Series(instants).dt.tz_localize("UTC").dt.tz_convert(zone)
    return moments.dt.tz_localize(None).to_numpy().astype("datetime64[s]")


def _days(moments: Shaped[np.ndarray, " row"]) -> Shaped[np.ndarray, " row"]:
    return moments.astype("datetime64[D]")


def _differ(ways: list[Shaped[np.ndarray, " row"]]) -> bool:
    return any(not np.array_equal(_days(way), _days(ways[0])) for way in ways[1:])


def _no_session(moments: Shaped[np.ndarray, " row"], calendar: str) -> Shaped[np.ndarray, " day"]:
    """Distinct days without a session."""
    days = np.unique(_days(moments))
    return np.setdiff1d(days, calendars.sessions(calendar, days[0], days[-1]), assume_unique=True)


def _check(off: Shaped[np.ndarray, " day"], moments: Shaped[np.ndarray, " row"], calendar: str, zone: str) -> None:
    days = np.unique(_days(moments))
    if len(off) <= MOST_OFF * len(days) or len(off) < 2:
        return
    raise DataError(
        f"its times have a zone, and {len(off)} of its {len(days)} days are not sessions of {calendar} ({zone}), first "
        f"{off[0]}, a {pd.Timestamp(off[0]).day_name()}: set the calendar of their exchange with --calendar "
        "(24/7 if it never closes)."
    )
