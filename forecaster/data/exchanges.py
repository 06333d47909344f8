"""Wrapper of exchange_calendars: sessions, weekdays and surprise closures of an exchange."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from forecaster.axes import Shaped
from forecaster.data.calendarfile import Calendar
from forecaster.errors import UnknownNameError, close_match
from forecaster.printable import MOST

_EVER = (np.datetime64("0001-01-01"), np.datetime64("9999-12-31"))
_USUAL = (np.datetime64("1960-01-01"), np.datetime64("2030-12-31"))
"""Covers most candles' dates."""

_PROBE = (np.datetime64("2024-01-08"), np.datetime64("2024-01-19"))
"""Dates that every calendar covers: one that fails here always fails."""

_SLACK = np.timedelta64(14, "D")
"""The library requires a session between its two dates: padding on both sides ensures one."""

_SHOWN = 5
"""Calendars that a message names."""

_UNCOMPUTABLE = (NotImplementedError, ValueError)
"""Raised by version 4.13 with pandas 3 for ASEX, XBEL, XBSE, XCYS (Orthodox Easter) and XTAE (early closes)."""

Week = tuple[np.datetime64, str]
"""(last date on which this week mask applies, mask of trading days from Monday such as `1111100`)."""


def check_name(name: str) -> str:
    """Return `name` if the library has such a calendar.

    Raises:
        UnknownNameError: it has not; the message suggests only calendars that can be computed here.
    """
    import exchange_calendars

    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if name not in known:
        raise UnknownNameError("calendar", name, _suggestions(name, known), "Weekdays such as Sun-Thu also work.")
    return name


def _suggestions(name: str, known: Iterable[str]) -> list[str]:
    """What a message may name: to compute all calendars for it takes ten seconds."""
    names = sorted(known)
    while (near := close_match(name[:MOST], names)) is not None:
        if computable(near):
            return [near]
        names.remove(near)
    shown: list[str] = []
    while names and len(shown) < _SHOWN:
        shown += filter(computable, [names.pop(0)])
    return shown + names


@cache
def computable(name: str) -> bool:
    """Whether the library can compute this calendar with the installed pandas."""
    try:
        _get_calendar(name, *_PROBE)
    except _UNCOMPUTABLE:
        return False
    return True


def compute(name: str, start: np.datetime64, end: np.datetime64) -> Calendar | None:
    """A calendar covering start to end and `_USUAL`, so that it is not recomputed for every new day.

    None if the library cannot compute it.

    Raises:
        UnknownNameError: there is no such calendar.
    """
    check_name(name)
    # A short probe shows whether the library can compute it, and gives its class, which knows the bounds.
    try:
        calendar = _get_calendar(name, *_PROBE)
    except _UNCOMPUTABLE:
        return None
    earliest, latest = _bound(type(calendar).bound_min(), _EVER[0]), _bound(type(calendar).bound_max(), _EVER[1])
    first = max(min(start, _USUAL[0], latest), earliest)
    last = min(max(end, _USUAL[1], earliest), latest)
    whole = _get_calendar(name, max(np.datetime64(first - _SLACK), earliest), min(np.datetime64(last + _SLACK), latest))
    days = np.asarray(whole.sessions.to_numpy(), "datetime64[D]")
    return Calendar(
        earliest=earliest,
        latest=latest,
        weekmask=calendar.weekmask,
        zone=str(calendar.tz),
        first=first,
        last=last,
        sessions=_within(days, first, last),
        surprises=_within(_surprises(str(calendar.name), calendar, first, last), first, last),
    )


def opening(name: str, day: np.datetime64) -> dt.datetime:
    """Opening time of a session.

    Raises:
        ValueError, NotImplementedError: the library cannot compute it.
    """
    found: dt.datetime = _get_calendar(name, day, np.datetime64(day + _SLACK)).session_open(str(day)).to_pydatetime()
    return found


def closing(name: str, day: np.datetime64) -> dt.datetime:
    """Closing time of a session; raises as `opening`."""
    found: dt.datetime = _get_calendar(name, day, np.datetime64(day + _SLACK)).session_close(str(day)).to_pydatetime()
    return found


@lru_cache(maxsize=64)
def closings(
    name: str, start: np.datetime64, end: np.datetime64
) -> tuple[Shaped[np.ndarray, " time"], Shaped[np.ndarray, " time"]]:
    """Sessions with start ≤ date ≤ end, where the library knows them, and the UTC time at which each closes.

    Read-only. Raises as `opening`.
    """
    known = type(_get_calendar(name, *_PROBE))
    first = max(np.datetime64(start - _SLACK), _bound(known.bound_min(), _EVER[0]))
    last = min(np.datetime64(end + _SLACK), _bound(known.bound_max(), _EVER[1]))
    if last - first < 2 * _SLACK:  # all of it lies outside
        return np.empty(0, "datetime64[D]"), np.empty(0, "datetime64[s]")
    closes = _get_calendar(name, first, last).closes
    days = closes.index.to_numpy().astype("datetime64[D]")
    times = closes.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    for array in (days, times):
        array.setflags(write=False)
    return days, times


def weeks(name: str) -> tuple[str, tuple[Week, ...]]:
    """Time zone and week masks of a calendar that cannot be computed, from its class attributes."""
    import exchange_calendars
    from exchange_calendars import calendar_utils

    factory = calendar_utils._default_calendar_factories[exchange_calendars.resolve_alias(name)]
    bare = factory.__new__(factory)  # skip the constructor, which fails
    special = getattr(bare, "special_weekmasks", ())
    past = [(np.datetime64(str(until)[:10]), mask) for _, until, mask in special if until is not None]
    return str(factory.tz), (*sorted(past), (_EVER[1], bare.weekmask))


def _surprises(name: str, calendar: Any, first: np.datetime64, last: np.datetime64) -> Shaped[np.ndarray, " closure"]:
    """Closures not announced a month ahead: the library's one-off (ad hoc) holidays, with exceptions.

    For the calendars listed in `closures.txt`, the ad hoc holidays include ones fixed long ahead (such as lunar
    holidays); there only the dates in the file count as surprises.
    """
    named = _named_surprises()
    with _quiet():
        found = np.array(sorted({str(day)[:10] for day in calendar.adhoc_holidays}), "datetime64[D]")
    if name in named:
        found = found[np.isin(found, named[name])]
    # A closure on a weekend closes nothing.
    found = found[np.is_busday(found, calendar.weekmask)]
    if calendar.regular_holidays is None:
        return found
    with _quiet():
        holidays = calendar.regular_holidays.holidays(str(first), str(last)).to_numpy().astype("datetime64[D]")
    # A date that is a regular holiday as well is no surprise.
    return found[~np.isin(found, holidays)]


@cache
def _named_surprises() -> dict[str, Shaped[np.ndarray, " closure"]]:
    text = files("forecaster.data").joinpath("closures.txt").read_text(encoding="utf-8")
    named: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, *dates = line.partition("#")[0].split() or [""]
        named.setdefault(name, []).extend(dates)
    return {name: np.array(dates, "datetime64[D]") for name, dates in named.items()}


def _within(days: np.ndarray, first: np.datetime64, last: np.datetime64) -> Shaped[np.ndarray, " time"]:
    return days[(days >= first) & (days <= last)]


def _bound(date: Any, ever: np.datetime64) -> np.datetime64:
    return ever if date is None else np.datetime64(date, "D")


def _get_calendar(name: str, start: np.datetime64, end: np.datetime64) -> Any:
    import exchange_calendars

    with _quiet():
        return exchange_calendars.get_calendar(name, start=str(start), end=str(end))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the library's own pandas deprecation warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
