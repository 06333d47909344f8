"""Trading sessions of exchanges, from the exchange_calendars library."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from forecaster.axes import Shaped
from forecaster.errors import InputError, UnknownNameError

DEFAULT = "XNYS"
_ZONES = {DEFAULT: "America/New_York"}  # spares the common case the library's import
_EVER = (np.datetime64("0001-01-01"), np.datetime64("9999-12-31"))
_FAULTS = (ValueError, NotImplementedError, TypeError)
"""What the library raises of a calendar that it knows but cannot compute with the pandas at hand."""


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
    """IANA time zone of an exchange.

    Raises:
        UnknownNameError: there is no such calendar.
        InputError: the library knows it but cannot compute it.
    """
    if name in _ZONES:
        return _ZONES[name]
    zone = _traits(name).zone
    if zone is None:
        raise InputError(f"The installed exchange_calendars cannot compute {name}: name another calendar.")
    return zone


def next_sessions(calendar: str, after: np.datetime64, count: int) -> Shaped[np.ndarray, " step"]:
    """The `count` sessions that follow a date, without holidays; crypto (`24/7`) trades every day.

    Outside the dates for which the exchange's holidays are known, its usual days of the week are assumed, without
    New Year's Day.
    """
    start = after.astype("datetime64[D]") + np.timedelta64(1, "D")
    span = count * 2 + 30
    found = sessions(calendar, start, start + np.timedelta64(span, "D"))
    while len(found) < count:  # an exchange that was shut for months
        span *= 2
        found = sessions(calendar, start, start + np.timedelta64(span, "D"))
    return found[:count]


def following_sessions(calendar: str, dates: Shaped[np.ndarray, " date"]) -> Shaped[np.ndarray, " date"]:
    """The session that follows each date: a function of that date alone, with the assumption of `next_sessions`."""
    if not len(dates):
        return dates.astype("datetime64[D]")
    # Whole years, so that tickers that begin on different days share one look-up.
    start = dates.min().astype("datetime64[Y]").astype("datetime64[D]")
    end = (dates.max().astype("datetime64[Y]") + 2).astype("datetime64[D]")
    known = sessions(calendar, start, end)
    return known[np.searchsorted(known, dates, "right")]


def sessions_between(calendar: str, after: np.datetime64, before: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """The sessions after one date and before another, both excluded, with the assumption of `next_sessions`."""
    day = np.timedelta64(1, "D")
    return sessions(calendar, after + day, before - day)


@lru_cache(maxsize=256)
def sessions(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """All sessions dated start ≤ date ≤ end, with the same assumption as `next_sessions`; not to be written to."""
    traits, day = _traits(calendar), np.timedelta64(1, "D")
    first, last = max(start, traits.earliest), min(end, traits.latest)
    known = _known_sessions(calendar, first, last) if first <= last and traits.zone else None
    if known is None:
        parts = [_weekdays(start, end, traits.weekmask)]
    else:
        before, after = _weekdays(start, first - day, traits.weekmask), _weekdays(last + day, end, traits.weekmask)
        parts = [before, known, after]
    found = np.concatenate(parts)
    found.setflags(write=False)
    return found


@dataclass(frozen=True)
class _Traits:
    """What holds for a calendar as a whole; its holidays are known from `earliest` to `latest`."""

    earliest: np.datetime64 = _EVER[0]
    latest: np.datetime64 = _EVER[1]
    weekmask: str = "1111100"
    zone: str | None = None


@lru_cache(maxsize=64)
def _traits(name: str) -> _Traits:
    # Any short stretch tells the calendar's class, which knows the bounds; a whole calendar would cost .3 s.
    calendar = _calendar(name, np.datetime64("2024-01-08"), np.datetime64("2024-01-19"))
    if calendar is None:
        return _Traits()
    earliest, latest = type(calendar).bound_min(), type(calendar).bound_max()
    return _Traits(
        _Traits.earliest if earliest is None else np.datetime64(earliest, "D"),
        _Traits.latest if latest is None else np.datetime64(latest, "D"),
        calendar.weekmask,
        str(calendar.tz),
    )


def _known_sessions(name: str, first: np.datetime64, last: np.datetime64) -> Shaped[np.ndarray, " time"] | None:
    # The library wants a session between its two dates: a few days more on either side make sure of one.
    traits, slack = _traits(name), np.timedelta64(14, "D")
    calendar = _calendar(name, max(first - slack, traits.earliest), min(last + slack, traits.latest))
    if calendar is None:
        return None
    found = np.asarray(calendar.sessions.to_numpy(), "datetime64[D]")
    return found[(found >= first) & (found <= last)]


def _calendar(name: str, start: np.datetime64, end: np.datetime64) -> Any:
    import exchange_calendars

    check_calendar(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own, of pandas
        try:
            return exchange_calendars.get_calendar(name, start=str(start), end=str(end))
        except _FAULTS:
            return None


def _weekdays(start: np.datetime64, end: np.datetime64, weekmask: str) -> Shaped[np.ndarray, " time"]:
    days = np.arange(start, end + np.timedelta64(1, "D"))
    holiday = (days == days.astype("datetime64[Y]").astype(days.dtype)) & ("0" in weekmask)  # New Year's Day
    return days[np.is_busday(days, weekmask) & ~holiday]
