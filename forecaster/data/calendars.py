"""Trading sessions of exchanges, from the exchange_calendars library."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Shaped

from forecaster.errors import UnknownNameError

DEFAULT = "XNYS"
_ZONES = {DEFAULT: "America/New_York"}  # spares the common case the library's import


def check_calendar(name: str) -> str:
    """The name itself when the library has such a calendar.

    Raises:
        UnknownNameError: it does not.
    """
    if name in _ZONES:
        return name
    import exchange_calendars

    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if name not in known:
        raise UnknownNameError("calendar", name, known)
    return name


def timezone(name: str) -> str:
    """IANA time zone of an exchange."""
    if name in _ZONES:
        return _ZONES[name]
    import exchange_calendars

    return str(exchange_calendars.get_calendar(check_calendar(name)).tz)


def next_sessions(calendar: str, after: np.datetime64, count: int) -> Shaped[np.ndarray, " step"]:
    """The `count` sessions that follow a date, without holidays; crypto (`24/7`) trades every day.

    Past the last date for which the exchange has announced its holidays, weekdays are assumed.
    """
    span = np.timedelta64(count * 2 + 30, "D")
    known = _sessions(calendar, after, after + span)
    later = known[known > after][:count]
    if len(later) == count:
        return later
    start = later[-1] if len(later) else after
    guess = np.busday_offset(start, np.arange(1, count - len(later) + 1), roll="backward")
    return np.concatenate([later, guess.astype("datetime64[D]")])


def following_sessions(calendar: str, dates: Shaped[np.ndarray, " date"]) -> Shaped[np.ndarray, " date"]:
    """The session that follows each date: a function of that date alone.

    Where the exchange's holidays are not known, the next weekday is assumed.
    """
    guess = np.busday_offset(dates, 1, roll="backward")
    if not len(dates):
        return guess
    # Whole years, so that tickers that begin on different days share one look-up.
    start = dates.min().astype("datetime64[Y]").astype("datetime64[D]")
    end = (dates.max().astype("datetime64[Y]") + 2).astype("datetime64[D]")
    sessions = _sessions(calendar, start, end)
    place = np.searchsorted(sessions, dates, "right")
    known = (place < len(sessions)) & (dates >= _covered(check_calendar(calendar), start, end)[0])
    return np.where(known, np.append(sessions, guess[-1])[place], guess)


@lru_cache(maxsize=64)
def _sessions(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    import exchange_calendars

    first, last = _covered(check_calendar(calendar), start, end)
    if first >= last:
        return np.array([], "datetime64[D]")
    sessions = exchange_calendars.get_calendar(calendar, start=str(first), end=str(last)).sessions
    return np.asarray(sessions.to_numpy(), "datetime64[D]")


@lru_cache(maxsize=256)
def _covered(calendar: str, start: np.datetime64, end: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """The part of start..end for which the exchange's holidays are known."""
    import exchange_calendars

    # Any short stretch tells the calendar's class, which knows the bounds; a whole calendar would cost .3 s.
    kind = type(exchange_calendars.get_calendar(calendar, start="2015-01-05", end="2015-01-16"))
    earliest, latest = kind.bound_min(), kind.bound_max()
    first = start if earliest is None else max(start, np.datetime64(earliest, "D"))
    last = end if latest is None else min(end, np.datetime64(latest, "D"))
    return first, last
