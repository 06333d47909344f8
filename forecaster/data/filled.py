"""Filled-in candles: days without trading that a source forward-filled, back-filled or interpolated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.data import calendars
from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.coherence import CLOSE

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_SINCE = np.datetime64("1960-01-01")
"""Earlier, exchanges traded on Saturdays, which no calendar knows."""

_FILLED = 1e-4
"""Relative tolerance for a repeated or interpolated price: files round to cents."""

_MOSTLY = 0.5
"""Share of off-session candles that must be filled in, and of session candles that must not look so."""


def without_filled(bars: Bars) -> tuple[Bars, tuple[str, ...]]:
    """Drop candles that only fill weekends and holidays with their neighbours' prices; returns a note on them."""
    filled = filled_rows(bars)
    if not filled.any():
        return bars, ()
    rows = {name: getattr(bars, name)[~filled] for name in ("dates", *COLUMNS)}
    return replace(bars, **rows), (f"{filled_text(bars, filled)}: dropped",)


def filled_text(bars: Bars, filled: Bool[np.ndarray, " time"]) -> str:
    """A message with the number of filled-in candles and the first of them."""
    count, first = int(filled.sum()), bars.dates[int(np.argmax(filled))]
    if count == 1:
        return f"1 candle on a day when {bars.calendar} is closed ({weekday(first)} {first}) repeats its neighbours"
    where = f"on days when {bars.calendar} is closed (first {weekday(first)} {first})"
    return f"{count} candles {where} repeat or interpolate their neighbours"


def filled_rows(bars: Bars) -> Bool[np.ndarray, " time"]:
    """Mask of candles on days without a session that repeat a neighbouring session or interpolate between two.

    All False if most candles on such days are real: then the calendar is wrong, not the candles. Also if the sessions
    themselves look repeated or interpolated: for a price that is flat or rises evenly the test is not conclusive.
    """
    off = off_rows(bars)
    found = np.zeros(len(bars), bool)
    if not off.any() or off.all():
        return found
    real = np.flatnonzero(~off)
    made = _is_filled(bars, np.flatnonzero(off), real)
    if made.mean() >= _MOSTLY and _is_filled(bars, real, real).mean() < _MOSTLY:
        found[np.flatnonzero(off)[made]] = True
    return found


def off_rows(bars: Bars) -> Bool[np.ndarray, " time"]:
    """Mask of candles on days without a session."""
    if not len(bars):
        return np.zeros(0, bool)
    sessions = calendars.sessions(bars.calendar, bars.dates[0], bars.dates[-1])
    if np.array_equal(bars.dates, sessions):  # fast path for the usual case
        return np.zeros(len(bars), bool)
    return ~np.isin(bars.dates, sessions, assume_unique=True) & (bars.dates >= known_since(bars.calendar))


def known_since(calendar: str) -> np.datetime64:
    """The first date for which candles can be checked against a calendar; earlier weeks may have differed."""
    known = calendars.holidays_known(calendar)
    return _SINCE if known is None else max(known[0], _SINCE)


def days_of_week(dates: Shaped[np.ndarray, " time"]) -> Int[np.ndarray, " time"]:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    days: np.ndarray = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return days


def weekday(date: np.datetime64) -> str:
    """Name of the day of the week."""
    return NAMES[int(days_of_week(date.reshape(1))[0])]


def _is_filled(
    bars: Bars, rows: Int[np.ndarray, " row"], real: Int[np.ndarray, " session"]
) -> Bool[np.ndarray, " row"]:
    """Mask of `rows` that repeat the session before or after them, or interpolate between the two.

    Args:
        rows: candles to test.
        real: rows of sessions, ascending.
    """
    # Left and right, so that a session that is tested itself is not its own neighbour.
    before, after = np.searchsorted(real, rows, "left") - 1, np.searchsorted(real, rows, "right")
    begun, ended = before >= 0, after < len(real)
    known, ends = real[np.maximum(before, 0)], real[np.minimum(after, len(real) - 1)]
    ohlc, of = bars.ohlc[rows], bars.ohlc
    flat = np.repeat(of[known, CLOSE][:, None], 4, axis=1)  # forward fill: all four prices are the last close
    made = begun & (_near(ohlc, flat) | _near(ohlc, of[known]))
    return made | (ended & _near(ohlc, of[ends])) | (begun & ended & _near(ohlc, _line(bars, rows, known, ends)))


def _near(candles: Float[np.ndarray, "row 4"], others: Float[np.ndarray, "row 4"]) -> Bool[np.ndarray, " row"]:
    near: np.ndarray = (np.abs(candles - others) <= _FILLED * np.abs(others)).all(axis=1)
    return near


def _line(
    bars: Bars, rows: Int[np.ndarray, " row"], known: Int[np.ndarray, " row"], ends: Int[np.ndarray, " row"]
) -> Float[np.ndarray, "row 4"]:
    """Prices interpolated linearly in days between the session before (`known`) and the one after (`ends`)."""
    day, ohlc = bars.dates.astype(np.int64), bars.ohlc
    # 0 days apart only where one neighbour is missing, which the caller masks.
    share = (day[rows] - day[known]) / np.maximum(day[ends] - day[known], 1)
    line: np.ndarray = ohlc[known] + share[:, None] * (ohlc[ends] - ohlc[known])
    return line
