"""Check candles against their calendar; if they do not fit, find their weekdays and a calendar that does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from forecaster.axes import Bool, Int, Shaped
from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.filled import NAMES, days_of_week, known_since, off_rows, weekday, without_filled

_RECENT = np.timedelta64(84, "D")
"""The last twelve weeks determine the current weekdays of the candles."""

_TELLING = 15
"""Minimum number of candles to determine the weekdays."""

_OFTEN, _REGULAR = 0.25, 0.6
"""A weekday is traded if it has at least the share `_OFTEN` of the candles of the most frequent one. A weekday without
any candle is not traded if the others have at least the share `_REGULAR` of theirs (else it is rarely traded)."""

_TOLERATED = 0.01
"""Share of candles on holidays that is attributed to an imperfect calendar."""

_SPECIAL, _SPECIAL_AT = 0.005, ("XBOM", "XBUD", "XKAR", "XKRX", "XMOS", "XTAI")
"""The same for weekends, at exchanges with special sessions or make-up days on weekends."""


@dataclass(frozen=True)
class Misfit:
    """How candles do not fit their calendar.

    Args:
        calendar: the one to use instead; None if it cannot be inferred.
        shifted: all candles would fit one day later or earlier.
    """

    text: str
    calendar: str | None
    shifted: bool = False


def misfit(bars: Bars) -> Misfit | None:
    """How the candles' dates do not fit their calendar, ignoring filled-in candles; None if they fit."""
    if _fits(bars):
        return None
    kept = without_filled(bars)[0].between(start=known_since(bars.calendar))
    if not len(kept):
        return None
    usual, off = _usual_weekdays(kept.calendar, kept.dates[0], kept.dates[-1]), off_rows(kept)
    weekend = off & ~_on(kept.dates, usual)
    unused = _unused_text(kept)
    if not (unused or weekend.mean() > (_SPECIAL if kept.calendar in _SPECIAL_AT else 0) or off.mean() > _TOLERATED):
        return None
    shift = _shift(kept) if off.mean() > _OFTEN / 2 else ""
    first = int(np.argmax(weekend if weekend.any() else off))
    text = "; ".join(filter(None, [_off_text(kept, int(off.sum()), kept.dates[first]), unused, shift]))
    return Misfit(text, None if shift else _other_week(kept) or _no_holidays(kept), bool(shift))


def calendar_of(bars: Bars) -> str:
    """The calendar that predicts the next sessions: its own, or the weekdays of the latest candles."""
    return bars.calendar if _fits(bars) else _other_week(without_filled(bars)[0]) or bars.calendar


def week_of(dates: Shaped[np.ndarray, " time"]) -> str:
    """Weekday calendar of an unknown exchange, inferred from its latest candles; 24/5 if there are too few."""
    recent = _recent(dates)
    if len(recent) < _TELLING:
        return calendars.WEEKDAYS
    return calendars.week_name(_observed_weekdays(recent, "0000000")) or calendars.WEEKDAYS


def _fits(bars: Bars) -> bool:
    """Whether there is exactly one candle per session: the usual case, and quick to test."""
    if not len(bars):
        return True
    return bool(np.array_equal(bars.dates, calendars.sessions(bars.calendar, bars.dates[0], bars.dates[-1])))


@lru_cache(maxsize=4096)  # tickers of one exchange have most years in common
def _usual_weekdays(calendar: str, first: np.datetime64, last: np.datetime64) -> str:
    """Weekday mask, such as `1111100` from Monday on, of a calendar's sessions between two dates."""
    # At least twelve weeks, because a few days do not include every weekday.
    counts = _counts(calendars.sessions(calendar, min(first, last - _RECENT), last))
    return _as_mask(counts >= _OFTEN * counts.max())


def _on(dates: Shaped[np.ndarray, " time"], mask: str) -> Bool[np.ndarray, " time"]:
    inside: np.ndarray = np.array([day == "1" for day in mask])[days_of_week(dates)]
    return inside


def _counts(dates: Shaped[np.ndarray, " time"]) -> Int[np.ndarray, " day"]:
    return np.bincount(days_of_week(dates), minlength=7)


def _as_mask(days: Bool[np.ndarray, " day"]) -> str:
    return "".join("1" if day else "0" for day in days)


def _other_week(bars: Bars) -> str | None:
    """The weekday calendar of the latest candles, if it differs from their calendar's and has a name."""
    recent = _recent(bars.dates)
    if len(recent) < _TELLING:
        return None
    usual = _usual_weekdays(bars.calendar, recent[0], recent[-1])
    shown = _observed_weekdays(recent, usual)
    return None if shown == usual else calendars.week_name(shown)


def _no_holidays(bars: Bars) -> str | None:
    """The weekday calendar 24/5 (as for currencies) if hardly any weekday lacks a candle."""
    weekdays = int(np.busday_count(bars.dates[0], bars.dates[-1] + np.timedelta64(1, "D")))
    return calendars.WEEKDAYS if weekdays - len(bars) <= _TOLERATED * weekdays else None


def _recent(dates: Shaped[np.ndarray, " time"]) -> Shaped[np.ndarray, " recent"]:
    return dates[dates > dates[-1] - _RECENT] if len(dates) else dates


def _observed_weekdays(dates: Shaped[np.ndarray, " time"], usual: str) -> str:
    """Weekday mask of the candles; starts from the usual weekdays and changes those that the candles contradict."""
    counts, unused = _counts(dates), _unused(dates, usual)
    # At least 2: a single Saturday makes no trading day.
    days = counts >= max(2, _OFTEN * counts.max())
    return _as_mask(days | np.array([usual[day] == "1" and day not in unused for day in range(7)]))


def _unused(dates: Shaped[np.ndarray, " time"], usual: str) -> list[int]:
    """Weekdays of the calendar without any candle, although the ticker trades regularly on the others."""
    counts = _counts(dates)
    week = [day for day in range(7) if usual[day] == "1"]
    used = [day for day in week if counts[day]]
    if not used or len(used) == len(week) or len(dates) < _TELLING:
        return []
    weeks = int((dates[-1] - dates[0]).astype(int)) / 7
    return [day for day in week if not counts[day]] if counts[used].mean() >= _REGULAR * weeks else []


def _unused_text(bars: Bars) -> str:
    """A message on `_unused` weekdays: recent ones, else those of the latest year that has any."""
    recent = _recent(bars.dates)
    years = np.split(bars.dates, np.flatnonzero(np.diff(bars.dates.astype("datetime64[Y]"))) + 1)
    for part in (recent, *reversed(years)):
        if found := _unused(part, _usual_weekdays(bars.calendar, part[0], part[-1])):
            days = " and ".join(f"{NAMES[day]}s" for day in found)
            if part is recent:
                return f"there are none on {days}, when {bars.calendar} trades"
            return f"until {part[-1]} there are none on {days}, when {bars.calendar} traded"
    return ""


def _off_text(bars: Bars, count: int, day: np.datetime64) -> str:
    if not count:
        return ""
    where = f"{count} of {len(bars)} candles {'is on a day' if count == 1 else 'are on days'} when {bars.calendar}"
    return f"{where} is closed ({'first ' if count > 1 else ''}{weekday(day)} {day})"


def _shift(bars: Bars) -> str:
    """A message if all candles, holidays included, would fit a day later or earlier: a wrong time zone."""
    for days, way in ((1, "later"), (-1, "earlier")):
        moved = replace(bars, dates=bars.dates + np.timedelta64(days, "D"))
        sessions = calendars.sessions(bars.calendar, moved.dates[0], moved.dates[-1])
        weekdays = np.busday_count(moved.dates[0], moved.dates[-1] + np.timedelta64(1, "D"))
        # Needs holidays in between: without them, candles from Sunday to Thursday would fit a day later as well.
        if weekdays - len(sessions) > 1 and not off_rows(moved).any():
            return f"one day {way} all would fit, as if the dates were in another time zone"
    return ""
