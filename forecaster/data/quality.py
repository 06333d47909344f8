"""Data quality: report histories that are coherent but look wrong; only filled-in candles are removed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Shaped
from forecaster.data import adjustments, calendars, week
from forecaster.data.bars import Bars
from forecaster.data.filled import filled_rows, filled_text, without_filled
from forecaster.data.interval import daily
from forecaster.errors import DataError

JUMP = 50.0
"""A close at least this many times the previous one, or at most its inverse, is a unit error (cents, ×100)."""

GAP = np.timedelta64(7, "D")
"""Longer than any closure of most exchanges; longer closures are in their calendars."""

_HOLIDAYS = np.timedelta64(14, "D")
"""The same if holidays are not known: the longest ones (Eid, lunar new year)."""

FROZEN, PEGGED = 10, 60
"""Number of identical last candles that count as frozen: without volume (repeated rows) and with volume (a peg)."""

_SPARSE = 0.05
"""With holes in more than this share of the sessions the ticker is just rarely traded; nothing is missing."""

_FEW_HOLES = 5
"""Number of holes that are reported even in a short history."""

_ANY_CALENDAR = "--calendar NAME"

_YEAR_ENDS = ("12-24", "12-25", "12-26", "12-31", "01-01", "01-02")
"""Days (month-day) without trading in some currencies, unknown to the weekday calendar."""


@dataclass(frozen=True)
class Oddity:
    """A data-quality finding.

    Args:
        text: what and where.
        kind: `jump`, `split`, `gap`, `missing`, `frozen`, `stale`, `calendar`, `filled` or `interval`.
        options: suggested for the next fetch, such as `--calendar 24/7`; empty if none.
    """

    kind: str
    text: str
    options: str = ""

    @property
    def note(self) -> str:
        """The message shown at a fetch."""
        if self.kind != "calendar" or not self.options:
            return self.text
        if self.options == _ANY_CALENDAR:
            return f"{self.text}: set the calendar of its exchange with {self.options}, or remove these candles"
        return f"{self.text}: fetch it with its own calendar, {self.options}"


def admit(bars: Bars) -> tuple[Bars, tuple[str, ...]]:
    """The candles of a history to store, and a note on everything that was dropped or looks wrong.

    Raises:
        DataError: they are not daily.
    """
    kept, notes = daily(bars)
    kept, dropped = without_filled(kept)
    return kept, (*notes, *dropped, *(oddity.note for oddity in oddities(kept)))


def oddities(bars: Bars) -> list[Oddity]:
    """All findings, one per kind, with the first occurrence and the count."""
    interval = _interval(bars)
    if interval:
        return interval
    return [*_calendar(bars), *_jumps(bars), *_splits(bars), *_gaps(bars), *_missing(bars), *_frozen(bars)]


@dataclass(frozen=True, eq=False)
class Reading:
    """A history as input of a forecast from its last candle.

    Args:
        bars: without filled-in candles.
        calendar: predicts the next sessions; the weekdays of the candles if they do not fit their calendar.
        notes: messages about such corrections.
        untouched: the bars are the stored ones, with nothing left out.
    """

    bars: Bars
    calendar: str
    notes: tuple[str, ...] = ()
    untouched: bool = False


def interpret(bars: Bars) -> Reading:
    """Apply today's quality checks to a history that an older version may have stored without them.

    Raises:
        DataError: the candles are not daily.
    """
    kept, notes = daily(bars)
    kept, dropped = without_filled(kept)
    found, since = week.misfit(kept), unmoved_since(kept)
    expected = found.calendar if found and found.calendar else bars.calendar
    messages = [f"{bars.ticker}: {note}." for note in (*notes, *dropped)]
    if found is not None:
        remark = f" Its next sessions follow the weekdays of its candles, {expected}." * (expected != bars.calendar)
        messages.append(f"{bars.ticker}'s candles do not fit its calendar: {_misfit(found).note}.{remark}")
    if since is not None:
        messages.append(f"{bars.ticker} has not moved since {since}: its range is meaningless until it trades again.")
    return Reading(kept, expected, tuple(messages), kept is bars)


def stale(bars: Bars, today: np.datetime64) -> list[Oddity]:
    """A finding if the history ends more than `GAP` before today although the exchange was open since."""
    last = bars.dates[-1]
    if today - last <= GAP:
        return []
    missed = len(calendars.sessions_between(bars.calendar, last, today))
    if missed < 2:
        return []
    return [Oddity("stale", f"stale: the last candle is from {last}, {missed} sessions before {today}")]


def behind(last: np.datetime64, others: np.datetime64) -> bool:
    """Whether a history ends more than `GAP` before others of its exchange."""
    return bool(others - last > GAP)


def _jumps(bars: Bars) -> list[Oddity]:
    if len(bars) < 2:
        return []
    ratio = bars.close[1:] / bars.close[:-1]
    at = np.flatnonzero((ratio >= JUMP) | (ratio <= 1 / JUMP)) + 1
    if not len(at):
        return []
    first = at[0]
    way = "up" if bars.close[first] > bars.close[first - 1] else "down"
    text = f"close jumps {way} from {bars.close[first - 1]:g} to {bars.close[first]:g} on {bars.dates[first]}"
    return [Oddity("jump", text + _more(len(at)))]


def _interval(bars: Bars) -> list[Oddity]:
    try:
        _, notes = daily(bars)
    except DataError as error:
        return [Oddity("interval", str(error).removeprefix(f"{bars.ticker}: ").rstrip("."), "--force")]
    return [Oddity("interval", note, "--force") for note in notes]  # because fewer rows remain


def _calendar(bars: Bars) -> list[Oddity]:
    filled, found = filled_rows(bars), week.misfit(bars)
    odd = [_misfit(found)] if found else []
    return [*odd, Oddity("filled", filled_text(bars, filled), "--force")] if filled.any() else odd


def _misfit(found: week.Misfit) -> Oddity:
    options = f"--calendar {found.calendar}" if found.calendar else _ANY_CALENDAR
    return Oddity("calendar", found.text, "" if found.shifted else options)


def _splits(bars: Bars) -> list[Oddity]:
    """Splits missing from the prices, and price jumps that look like an unreported split."""
    found = adjustments.mismatches(bars.close, bars.adj_close, bars.split)
    found += adjustments.unexplained_jumps(bars.open, bars.close, bars.adj_close, bars.split)
    return [Oddity("split", adjustments.describe(found[0], bars.dates) + _more(len(found)))] if found else []


def _gaps(bars: Bars) -> list[Oddity]:
    real = _real_gaps(bars)
    if not len(real):
        return []
    at = real[0]
    return [Oddity("gap", f"no candle between {bars.dates[at]} and {bars.dates[at + 1]}" + _more(len(real)))]


def _real_gaps(bars: Bars) -> Shaped[np.ndarray, " gap"]:
    """Rows followed by a gap that no closure of the exchange explains."""
    longest = GAP if calendars.holidays_known(bars.calendar) or bars.calendar == calendars.WEEKDAYS else _HOLIDAYS
    wide = np.flatnonzero(np.diff(bars.dates) > longest)
    missed = [len(calendars.sessions_between(bars.calendar, bars.dates[at], bars.dates[at + 1])) for at in wide]
    return wide[np.array(missed, int) > 1]


def missing_sessions(bars: Bars) -> Shaped[np.ndarray, " session"]:
    """Sessions without a candle inside a history, except those in reported gaps.

    Empty for rarely traded tickers, if holidays are not known, and if the candles do not fit their calendar.
    """
    none = np.zeros(0, "datetime64[D]")
    span = _holidays_known(bars)
    if span is None or week.calendar_of(bars) != bars.calendar:
        return none
    expected = calendars.sessions(bars.calendar, max(bars.dates[0], span[0]), min(bars.dates[-1], span[1]))
    lost = expected[~np.isin(expected, bars.dates, assume_unique=True)]
    if not len(lost):
        return none
    after = np.searchsorted(bars.dates, lost)
    # Consecutive missing sessions map to the same row: one hole.
    holes = np.unique(after)
    if len(holes) > max(_FEW_HOLES, _SPARSE * len(bars)):
        return none
    # after − 1 is the last row before a hole, which is how gaps are counted.
    lost = lost[~np.isin(after - 1, _real_gaps(bars))]
    if bars.calendar != calendars.WEEKDAYS:
        return lost
    return lost[~np.isin([str(day)[5:] for day in lost], _YEAR_ENDS)]


def _holidays_known(bars: Bars) -> tuple[np.datetime64, np.datetime64] | None:
    if not len(bars):
        return None
    if bars.calendar == calendars.WEEKDAYS:
        return bars.dates[0], bars.dates[-1]
    return calendars.holidays_known(bars.calendar)


def _missing(bars: Bars) -> list[Oddity]:
    lost = missing_sessions(bars)
    if not len(lost):
        return []
    if len(lost) == 1:
        return [Oddity("missing", f"the session of {lost[0]} has no candle")]
    return [Oddity("missing", f"{len(lost)} sessions have no candle, the first on {lost[0]}, the last on {lost[-1]}")]


def unmoved_since(bars: Bars) -> np.datetime64 | None:
    """The date since which the price has not changed; None if it has, or if there are too few candles to tell."""
    if len(bars) < FROZEN or np.ptp(bars.close[-FROZEN:]):
        return None
    alike = (bars.ohlc == bars.ohlc[-1]).all(axis=1)
    # Start of the unbroken run of equal candles at the end.
    first = 0 if alike.all() else len(bars) - int(np.argmin(alike[::-1]))
    enough = PEGGED if bars.volume[first:].any() else FROZEN
    since: np.datetime64 = bars.dates[first]
    return since if len(bars) - first >= enough else None


def _frozen(bars: Bars) -> list[Oddity]:
    since = unmoved_since(bars)
    if since is None:
        return []
    count = int((bars.dates >= since).sum())
    traded = "" if bars.volume[-count:].any() else ", without volume"
    return [Oddity("frozen", f"the price has not moved since {since}: {count} candles at {bars.close[-1]:g}{traded}")]


def _more(count: int) -> str:
    return f" and {count - 1} more such" if count > 1 else ""
