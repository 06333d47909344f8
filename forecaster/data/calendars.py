"""Trading sessions of a calendar: an exchange (from exchange_calendars), weekdays such as `Sun-Thu`, or `24/7`."""

from __future__ import annotations

import datetime as dt
import logging
import re
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.axes import Shaped
from forecaster.data import exchanges
from forecaster.data.calendarfile import Calendar, read_calendar, write_calendar

DEFAULT = "XNYS"
ALWAYS, WEEKDAYS = "24/7", "24/5"

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = re.compile(f"({'|'.join(DAYS)})-({'|'.join(DAYS)})", re.IGNORECASE)

_ZONES = {DEFAULT: "America/New_York"}  # avoids importing the library in the most common case
_USUAL = (np.datetime64("1960-01-01"), np.datetime64("2030-12-31"))
_DAY = np.timedelta64(1, "D")

_RECENT = np.timedelta64(7, "D")
"""Surprise closures of the last days are known to a forecast, although its latest candle may be from before them."""


def check_calendar(name: str) -> str:
    """Return the calendar's name, validated: one of the library's, or a range of weekdays such as `Sun-Thu`.

    Raises:
        UnknownNameError: there is no such calendar.
    """
    if name in _ZONES:
        return name
    if _WEEK.fullmatch(name):
        return name.title()
    return exchanges.check_name(name)


def timezone(name: str) -> str:
    """IANA time zone of an exchange; UTC for plain weekdays.

    Raises:
        UnknownNameError: there is no such calendar.
    """
    if name in _ZONES:
        return _ZONES[name]
    if _WEEK.fullmatch(name):
        return "UTC"
    known = _known(name, *_USUAL)
    return exchanges.weeks(name)[0] if known is None else known.zone


def week_name(mask: str) -> str | None:
    """Weekday mask → calendar name: `24/7`, `24/5`, or such as `Sun-Thu`; None if the days are not consecutive."""
    if mask in ("1111111", "1111100"):
        return ALWAYS if mask == "1111111" else WEEKDAYS
    # For Monday, mask[-1] is Sunday: the week wraps around. `1111001` has one start, Sunday, and 5 days: `Sun-Thu`.
    starts = [day for day in range(7) if mask[day] == "1" and mask[day - 1] == "0"]
    if len(starts) != 1:
        return None
    first = starts[0]
    return f"{DAYS[first]}-{DAYS[(first + mask.count('1') - 1) % 7]}"


def holidays_known(name: str) -> tuple[np.datetime64, np.datetime64] | None:
    """First and last date for which an exchange's holidays are known; None for plain weekdays."""
    if name == WEEKDAYS or _WEEK.fullmatch(name):
        return None
    known = _known(name, *_USUAL)
    return None if known is None else (max(known.earliest, _USUAL[0]), known.latest)


def sessions_a_year(calendar: str) -> int:
    """365 if every day is a session, else the customary 252; for annualising."""
    return 365 if opens_at_last_close(calendar) else 252


def opens_at_last_close(calendar: str) -> bool:
    """Whether trading never stops: then a day's open equals the previous close, so it is known, not forecast."""
    # An ordinary week, Monday to Sunday.
    week = sessions(calendar, np.datetime64("2024-03-04"), np.datetime64("2024-03-10"))
    return len(week) == 7


def next_sessions(
    calendar: str, after: np.datetime64, count: int, today: np.datetime64 | None = None
) -> Shaped[np.ndarray, " step"]:
    """The `count` sessions expected after a date; crypto (`24/7`) trades every day.

    A past surprise closure (2001-09-11) counts as a session, as it did the evening before. A closure in the future or
    within the last week is known by now and does not count.

    Outside the dates for which the exchange's holidays are known, its usual weekdays are assumed, without New Year's
    Day.

    Args:
        today: defaults to the current date.
    """
    recent = (np.datetime64("today") if today is None else today) - _RECENT
    start = after.astype("datetime64[D]") + _DAY
    span = count * 2 + 30
    while True:
        end = start + np.timedelta64(span, "D")
        expected, actual = scheduled_sessions(calendar, start, end), sessions(calendar, start, end)
        found = np.union1d(expected[expected < recent], actual[actual >= recent])
        if len(found) >= count:
            return found[:count]
        span *= 2  # the exchange was closed for months


def following_sessions(calendar: str, dates: Shaped[np.ndarray, " date"]) -> Shaped[np.ndarray, " date"]:
    """The session expected after each date; depends only on that date, not on today.

    Surprise closures are ignored, past and future: features must not know more in training than in production.
    """
    if not len(dates):
        return dates.astype("datetime64[D]")
    # Whole years, so that tickers with different first days share one cached lookup.
    start = dates.min().astype("datetime64[Y]").astype("datetime64[D]")
    end = (dates.max().astype("datetime64[Y]") + 2).astype("datetime64[D]")
    known = scheduled_sessions(calendar, start, end)
    # "right", so that a date that is a session itself gets the one after it.
    return known[np.searchsorted(known, dates, "right")]


def sessions_between(calendar: str, after: np.datetime64, before: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """The sessions strictly between two dates; unknown holidays as in `next_sessions`."""
    return sessions(calendar, after + _DAY, before - _DAY)


def next_opening(calendar: str, now: dt.datetime) -> np.datetime64:
    """The date of the session that opens next; today if it has not opened yet.

    Args:
        now: timezone-aware.
    """
    local = now.astimezone(ZoneInfo(timezone(calendar)))
    today = np.datetime64(local.date(), "D")
    ahead = sessions(calendar, today, today + np.timedelta64(30, "D"))
    if len(ahead) and ahead[0] == today and _has_opened(calendar, today, now):
        ahead = ahead[1:]
    return ahead[0] if len(ahead) else next_sessions(calendar, today, 1)[0]


def is_over(calendar: str, day: np.datetime64, now: dt.datetime) -> bool:
    """Whether the session of a day has closed; where closing times are unknown, it closes with the day.

    Args:
        now: timezone-aware.
    """
    today = np.datetime64(now.astimezone(ZoneInfo(timezone(calendar))).date(), "D")
    if day != today or not has_closings(calendar):
        return bool(day < today)
    closed = len(sessions(calendar, today, today)) == 0
    return closed or now >= exchanges.closing(calendar, today)


def has_closings(calendar: str) -> bool:
    """Whether the hours at which its sessions close can be computed here."""
    return not _WEEK.fullmatch(calendar) and exchanges.computable(calendar)


def computable(name: str) -> bool:
    """Whether the calendar's sessions can be computed here; if not, its usual weekdays are used, without holidays."""
    return name in _ZONES or bool(_WEEK.fullmatch(name)) or _cached(name) is not None or exchanges.computable(name)


def _has_opened(calendar: str, today: np.datetime64, now: dt.datetime) -> bool:
    return has_closings(calendar) and now >= exchanges.opening(calendar, today)


@lru_cache(maxsize=256)
def sessions(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """Actual and announced sessions with start ≤ date ≤ end, read-only; unknown holidays as in `next_sessions`."""
    if week := _WEEK.fullmatch(calendar):
        parts = [_weekdays(start, end, _mask(*week.groups()))]
    elif (known := _known(calendar, start, end)) is None:
        _warn(calendar)
        parts = []
        # Exchanges have changed their trading days: each mask up to its last date, the rest by the next one.
        for until, mask in exchanges.weeks(calendar)[1]:
            parts.append(_weekdays(start, min(end, until), mask))
            start = max(start, until + _DAY) if until < end else end + _DAY
    else:
        first, last = max(start, known.earliest), min(end, known.latest)
        holds = (known.sessions >= first) & (known.sessions <= last)
        before = _weekdays(start, min(first - _DAY, end), known.weekmask)
        after = _weekdays(max(last + _DAY, start), end, known.weekmask)
        parts = [before, known.sessions[holds], after]
    return _read_only(np.concatenate(parts))


@lru_cache(maxsize=256)
def scheduled_sessions(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """The sessions as scheduled a month ahead: the actual ones plus the days of surprise closures."""
    actual = sessions(calendar, start, end)
    known = None if _WEEK.fullmatch(calendar) else _known(calendar, start, end)
    if known is None:
        return actual
    inside = (known.surprises >= start) & (known.surprises <= end)
    return _read_only(np.union1d(actual, known.surprises[inside])) if inside.any() else actual


def _read_only(days: Shaped[np.ndarray, " time"]) -> Shaped[np.ndarray, " time"]:
    # All callers get the same cached array.
    days.setflags(write=False)
    return days


@cache
def _warn(calendar: str) -> None:
    """Log once per calendar that its holidays are unknown."""
    names = " and then ".join(str(week_name(mask)) for _, mask in exchanges.weeks(calendar)[1])
    logging.getLogger("forecaster").warning(
        "warning: the installed exchange_calendars and pandas cannot compute %s: using its weekdays (%s) "
        "without holidays.",
        calendar,
        names.replace(WEEKDAYS, "Mon-Fri"),
    )


def _known(name: str, start: np.datetime64, end: np.datetime64) -> Calendar | None:
    """A calendar that covers start to end, from the cache if possible; None if the library cannot compute it."""
    known = _cached(name)
    if known is not None and known.covers(max(start, known.earliest), min(end, known.latest)):
        return known
    if known is not None:
        # At least what is cached: callers with other spans would otherwise overwrite the file in turn.
        start, end = min(start, known.first), max(end, known.last)
    known = exchanges.compute(name, start, end)
    if known is not None:
        write_calendar(name, known)
        # Otherwise it would keep returning the old content of the file.
        _cached.cache_clear()
    return known


@lru_cache(maxsize=64)
def _cached(name: str) -> Calendar | None:
    return read_calendar(name)


def _mask(first: str, last: str) -> str:
    """`Sun`, `Thu` → `1111001`."""
    start, end = DAYS.index(first.title()), DAYS.index(last.title())
    days = {(start + day) % 7 for day in range((end - start) % 7 + 1)}
    return "".join("1" if day in days else "0" for day in range(7))


def _weekdays(start: np.datetime64, end: np.datetime64, weekmask: str) -> Shaped[np.ndarray, " time"]:
    days = np.arange(start, end + _DAY)
    holiday = (days == days.astype("datetime64[Y]").astype(days.dtype)) & ("0" in weekmask)  # New Year's Day
    return days[np.is_busday(days, weekmask) & ~holiday]
