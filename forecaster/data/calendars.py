"""Trading sessions of exchanges, from the exchange_calendars library."""

from __future__ import annotations

import logging
import warnings
from functools import cache, lru_cache
from typing import Any

import numpy as np

from forecaster.axes import Shaped
from forecaster.data.calendarfile import Calendar, read_calendar, write_calendar
from forecaster.errors import InputError, UnknownNameError

DEFAULT = "XNYS"
_ZONES = {DEFAULT: "America/New_York"}  # spares the common case the library's import
_EVER = (np.datetime64("0001-01-01"), np.datetime64("9999-12-31"))
_USUAL = (np.datetime64("1960-01-01"), np.datetime64("2030-12-31"))
"""Most candles' dates lie here."""

_WEEKMASK = "1111100"
_PROBE = (np.datetime64("2024-01-08"), np.datetime64("2024-01-19"))
"""Days that every calendar reaches: whoever fails here fails everywhere."""


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
    known = _known(name, *_USUAL)
    if known is None:
        raise InputError(f"The installed exchange_calendars cannot compute {name}: name another calendar.")
    return known.zone


def sessions_a_year(calendar: str) -> int:
    """365 where every day is a session, else the customary 252."""
    week = sessions(calendar, np.datetime64("2024-03-04"), np.datetime64("2024-03-10"))
    return 365 if len(week) == 7 else 252


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
    known, day = _known(calendar, start, end), np.timedelta64(1, "D")
    if known is None:
        _warn(calendar)
        parts = [_weekdays(start, end, _WEEKMASK)]
    else:
        first, last = max(start, known.earliest), min(end, known.latest)
        holds = (known.sessions >= first) & (known.sessions <= last)
        before = _weekdays(start, min(first - day, end), known.weekmask)
        after = _weekdays(max(last + day, start), end, known.weekmask)
        parts = [before, known.sessions[holds], after]
    found = np.concatenate(parts)
    found.setflags(write=False)
    return found


@cache
def _warn(calendar: str) -> None:
    """Say once that the sessions of an exchange are guessed."""
    logging.getLogger("forecaster").warning(
        "warning: The installed exchange_calendars cannot compute %s: Mondays to Fridays are taken for its sessions.",
        calendar,
    )


def _known(name: str, start: np.datetime64, end: np.datetime64) -> Calendar | None:
    """A calendar with its sessions from start to end; None where the library cannot compute it."""
    known = _written(name)
    if known is not None and known.covers(max(start, known.earliest), min(end, known.latest)):
        return known
    if known is not None:
        start, end = min(start, known.first), max(end, known.last)
    known = _computed(name, start, end)
    if known is not None:
        write_calendar(name, known)
        _written.cache_clear()
    return known


@lru_cache(maxsize=64)
def _written(name: str) -> Calendar | None:
    return read_calendar(name)


def _computed(name: str, start: np.datetime64, end: np.datetime64) -> Calendar | None:
    """At least from start to end, and `_USUAL`, so that it need not be computed again tomorrow."""
    # A short stretch tells whether the library can compute it, and its class, which knows the bounds.
    try:
        calendar = _ask(name, *_PROBE)
    except (NotImplementedError, ValueError):  # 4.13 with pandas 3: ASEX, XBEL, XBSE and XCYS; and XTAE
        return None
    earliest, latest = _bound(type(calendar).bound_min(), _EVER[0]), _bound(type(calendar).bound_max(), _EVER[1])
    first = max(min(start, _USUAL[0], latest), earliest)
    last = min(max(end, _USUAL[1], earliest), latest)
    # The library wants a session between its two dates: a few days more on either side make sure of one.
    slack = np.timedelta64(14, "D")
    whole = _ask(name, max(np.datetime64(first - slack), earliest), min(np.datetime64(last + slack), latest))
    found = np.asarray(whole.sessions.to_numpy(), "datetime64[D]")
    found = found[(found >= first) & (found <= last)]
    return Calendar(earliest, latest, calendar.weekmask, str(calendar.tz), first, last, found)


def _bound(date: Any, ever: np.datetime64) -> np.datetime64:
    return ever if date is None else np.datetime64(date, "D")


def _ask(name: str, start: np.datetime64, end: np.datetime64) -> Any:
    import exchange_calendars

    check_calendar(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own, of pandas
        return exchange_calendars.get_calendar(name, start=str(start), end=str(end))


def _weekdays(start: np.datetime64, end: np.datetime64, weekmask: str) -> Shaped[np.ndarray, " time"]:
    days = np.arange(start, end + np.timedelta64(1, "D"))
    holiday = (days == days.astype("datetime64[Y]").astype(days.dtype)) & ("0" in weekmask)  # New Year's Day
    return days[np.is_busday(days, weekmask) & ~holiday]
