"""Trading sessions: of exchanges, from the exchange_calendars library; of a bare week such as `Sun-Thu`; of `24/7`."""

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

_ZONES = {DEFAULT: "America/New_York"}  # spares the common case the library's import
_USUAL = (np.datetime64("1960-01-01"), np.datetime64("2030-12-31"))
_DAY = np.timedelta64(1, "D")

_NEWS = np.timedelta64(7, "D")
"""A surprise closure no older than this is known to a forecast: its newest candle may be of before the closure."""


def check_calendar(name: str) -> str:
    """The name itself when there is such a calendar: one of the library's, or a week from one day to another.

    Raises:
        UnknownNameError: there is none.
    """
    if name in _ZONES:
        return name
    if _WEEK.fullmatch(name):
        return name.title()
    return exchanges.check_name(name)


def timezone(name: str) -> str:
    """IANA time zone of an exchange; UTC of a bare week.

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
    """The calendar of a bare week: `24/7`, `24/5`, or such as `Sun-Thu`; None for days that are not in a row."""
    if mask in ("1111111", "1111100"):
        return ALWAYS if mask == "1111111" else WEEKDAYS
    starts = [day for day in range(7) if mask[day] == "1" and mask[day - 1] == "0"]
    if len(starts) != 1:
        return None
    first = starts[0]
    return f"{DAYS[first]}-{DAYS[(first + mask.count('1') - 1) % 7]}"


def holidays_known(name: str) -> tuple[np.datetime64, np.datetime64] | None:
    """First and last date of which an exchange's holidays are known; None for a week alone."""
    if name == WEEKDAYS or _WEEK.fullmatch(name):
        return None
    known = _known(name, *_USUAL)
    return None if known is None else (max(known.earliest, _USUAL[0]), known.latest)


def sessions_a_year(calendar: str) -> int:
    """365 where every day is a session, else the customary 252."""
    return 365 if opens_at_last_close(calendar) else 252


def opens_at_last_close(calendar: str) -> bool:
    """Whether trading never stops, so that a day's open is the close of the day before: known, and no forecast."""
    week = sessions(calendar, np.datetime64("2024-03-04"), np.datetime64("2024-03-10"))
    return len(week) == 7


def next_sessions(
    calendar: str, after: np.datetime64, count: int, today: np.datetime64 | None = None
) -> Shaped[np.ndarray, " step"]:
    """The `count` sessions expected to follow a date; crypto (`24/7`) trades every day.

    A closure that nobody could foresee (2001-09-11) is expected to be a session, as it was the evening before: unless
    it lies ahead of today, or not long behind, for then everybody knows it.

    Outside the dates for which the exchange's holidays are known, its usual days of the week are assumed, without
    New Year's Day.

    Args:
        today: the real one if absent.
    """
    news = (np.datetime64("today") if today is None else today) - _NEWS
    start = after.astype("datetime64[D]") + _DAY
    span = count * 2 + 30
    while True:
        end = start + np.timedelta64(span, "D")
        expected, held = foreseen(calendar, start, end), sessions(calendar, start, end)
        found = np.union1d(expected[expected < news], held[held >= news])
        if len(found) >= count:
            return found[:count]
        span *= 2  # an exchange that was shut for months


def following_sessions(calendar: str, dates: Shaped[np.ndarray, " date"]) -> Shaped[np.ndarray, " date"]:
    """The session expected to follow each date: a function of that date alone, whatever today is.

    Surprise closures are not known, neither of the past nor of days to come: features learnt from the past must not
    know more than those of the present.
    """
    if not len(dates):
        return dates.astype("datetime64[D]")
    # Whole years, so that tickers that begin on different days share one look-up.
    start = dates.min().astype("datetime64[Y]").astype("datetime64[D]")
    end = (dates.max().astype("datetime64[Y]") + 2).astype("datetime64[D]")
    known = foreseen(calendar, start, end)
    return known[np.searchsorted(known, dates, "right")]


def sessions_between(calendar: str, after: np.datetime64, before: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """The sessions after one date and before another, both excluded, with the assumption of `next_sessions`."""
    return sessions(calendar, after + _DAY, before - _DAY)


def next_opening(calendar: str, now: dt.datetime) -> np.datetime64:
    """The date of the session that opens next: today's while it is still to come.

    Args:
        now: with its zone.
    """
    local = now.astimezone(ZoneInfo(timezone(calendar)))
    today = np.datetime64(local.date(), "D")
    ahead = sessions(calendar, today, today + np.timedelta64(30, "D"))
    if len(ahead) and ahead[0] == today and _opened(calendar, today, now):
        ahead = ahead[1:]
    return ahead[0] if len(ahead) else next_sessions(calendar, today, 1)[0]


def computable(name: str) -> bool:
    """Whether the sessions of a calendar are known here; else its week is taken, without holidays."""
    return name in _ZONES or bool(_WEEK.fullmatch(name)) or _written(name) is not None or exchanges.computable(name)


def _opened(calendar: str, today: np.datetime64, now: dt.datetime) -> bool:
    if _WEEK.fullmatch(calendar) or not exchanges.computable(calendar):
        return False
    return now >= exchanges.opening(calendar, today)


@lru_cache(maxsize=256)
def sessions(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """All sessions that were held, or are announced, on start ≤ date ≤ end; not to be written to.

    With the assumption of `next_sessions` where holidays are not known.
    """
    if week := _WEEK.fullmatch(calendar):
        parts = [_weekdays(start, end, _mask(*week.groups()))]
    elif (known := _known(calendar, start, end)) is None:
        _warn(calendar)
        parts = []
        for until, mask in exchanges.weeks(calendar)[1]:
            parts.append(_weekdays(start, min(end, until), mask))
            start = max(start, until + _DAY) if until < end else end + _DAY
    else:
        first, last = max(start, known.earliest), min(end, known.latest)
        holds = (known.sessions >= first) & (known.sessions <= last)
        before = _weekdays(start, min(first - _DAY, end), known.weekmask)
        after = _weekdays(max(last + _DAY, start), end, known.weekmask)
        parts = [before, known.sessions[holds], after]
    return _frozen(np.concatenate(parts))


@lru_cache(maxsize=256)
def foreseen(calendar: str, start: np.datetime64, end: np.datetime64) -> Shaped[np.ndarray, " time"]:
    """The sessions as they stood in the calendar a month ahead: with the days of surprise closures."""
    held = sessions(calendar, start, end)
    known = None if _WEEK.fullmatch(calendar) else _known(calendar, start, end)
    if known is None:
        return held
    inside = (known.surprises >= start) & (known.surprises <= end)
    return _frozen(np.union1d(held, known.surprises[inside])) if inside.any() else held


def _frozen(days: Shaped[np.ndarray, " time"]) -> Shaped[np.ndarray, " time"]:
    days.setflags(write=False)
    return days


@cache
def _warn(calendar: str) -> None:
    """Report once that the holidays of an exchange are not known."""
    names = " and then ".join(str(week_name(mask)) for _, mask in exchanges.weeks(calendar)[1])
    logging.getLogger("forecaster").warning(
        "warning: the installed exchange_calendars and pandas cannot compute %s: its week (%s) is taken, "
        "without holidays.",
        calendar,
        names.replace(WEEKDAYS, "Mon-Fri"),
    )


def _known(name: str, start: np.datetime64, end: np.datetime64) -> Calendar | None:
    """A calendar with its sessions from start to end; None where the library cannot compute it."""
    known = _written(name)
    if known is not None and known.covers(max(start, known.earliest), min(end, known.latest)):
        return known
    if known is not None:
        start, end = min(start, known.first), max(end, known.last)
    known = exchanges.compute(name, start, end)
    if known is not None:
        write_calendar(name, known)
        _written.cache_clear()
    return known


@lru_cache(maxsize=64)
def _written(name: str) -> Calendar | None:
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
