"""Candles where nobody traded: weekends and holidays that were filled with the neighbours' prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped
from forecaster.data import calendars
from forecaster.data.bars import COLUMNS, Bars

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_SINCE = np.datetime64("1960-01-01")
"""Before, exchanges traded on Saturdays, and no calendar knows it."""

_FILLED = 1e-4
"""Relative; as near as this to the close before, or to the line between the neighbours, a candle was made, not traded.
Files round to cents."""

_MOSTLY = 0.5


def without_filled(bars: Bars) -> tuple[Bars, tuple[str, ...]]:
    """The candles without those that fill weekends and holidays with their neighbours' prices, and a note on them."""
    filled = filled_rows(bars)
    if not filled.any():
        return bars, ()
    rows = {name: getattr(bars, name)[~filled] for name in ("dates", *COLUMNS)}
    return replace(bars, **rows), (f"{filled_text(bars, filled)}: dropped",)


def filled_text(bars: Bars, filled: Bool[np.ndarray, " time"]) -> str:
    """How many candles are filled in, and the first."""
    count, first = int(filled.sum()), bars.dates[int(np.argmax(filled))]
    if count == 1:
        return (
            f"1 candle on a day that {bars.calendar} does not trade ({weekday(first)} {first}) repeats its neighbours"
        )
    where = f"on days that {bars.calendar} does not trade (first {weekday(first)} {first})"
    return f"{count} candles {where} repeat their neighbours, or lie on the line between them"


def filled_rows(bars: Bars) -> Bool[np.ndarray, " time"]:
    """Candles on days without a session that repeat a neighbour's prices, or lie on the line between two.

    None where most candles on such days are real: then the calendar is wrong, not the candles. Nor where those of the
    sessions repeat and join each other as well: of a price that does not move, or rises evenly, nothing can be told.
    """
    off = off_rows(bars)
    found = np.zeros(len(bars), bool)
    if not off.any() or off.all():
        return found
    real = np.flatnonzero(~off)
    made = _made(bars, np.flatnonzero(off), real)
    if made.mean() >= _MOSTLY and _made(bars, real, real).mean() < _MOSTLY:
        found[np.flatnonzero(off)[made]] = True
    return found


def off_rows(bars: Bars) -> Bool[np.ndarray, " time"]:
    """Where a candle stands on a day without a session."""
    if not len(bars):
        return np.zeros(0, bool)
    held = calendars.sessions(bars.calendar, bars.dates[0], bars.dates[-1])
    if np.array_equal(bars.dates, held):  # nearly always, and quick to see
        return np.zeros(len(bars), bool)
    return ~np.isin(bars.dates, held, assume_unique=True) & (bars.dates >= known_since(bars.calendar))


def known_since(calendar: str) -> np.datetime64:
    """The first date on which candles can be held against a calendar: earlier weeks may have been others."""
    known = calendars.holidays_known(calendar)
    return _SINCE if known is None else max(known[0], _SINCE)


def days_of_week(dates: Shaped[np.ndarray, " time"]) -> Int[np.ndarray, " time"]:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    days: np.ndarray = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return days


def weekday(date: np.datetime64) -> str:
    """Its name."""
    return NAMES[int(days_of_week(date.reshape(1))[0])]


def _made(bars: Bars, rows: Int[np.ndarray, " row"], real: Int[np.ndarray, " session"]) -> Bool[np.ndarray, " row"]:
    """Which candles repeat the session before or after them, or lie between the two."""
    before, after = np.searchsorted(real, rows, "left") - 1, np.searchsorted(real, rows, "right")
    begun, ended = before >= 0, after < len(real)
    known, ends = real[np.maximum(before, 0)], real[np.minimum(after, len(real) - 1)]
    ohlc, of = bars.ohlc[rows], bars.ohlc
    flat = np.repeat(of[known, 3][:, None], 4, axis=1)
    made = begun & (_near(ohlc, flat) | _near(ohlc, of[known]))
    return made | (ended & _near(ohlc, of[ends])) | (begun & ended & _near(ohlc, _line(bars, rows, known, ends)))


def _near(candles: Float[np.ndarray, "row 4"], others: Float[np.ndarray, "row 4"]) -> Bool[np.ndarray, " row"]:
    near: np.ndarray = (np.abs(candles - others) <= _FILLED * np.abs(others)).all(axis=1)
    return near


def _line(
    bars: Bars, rows: Int[np.ndarray, " row"], known: Int[np.ndarray, " row"], ends: Int[np.ndarray, " row"]
) -> Float[np.ndarray, "row 4"]:
    """The prices on the straight line, by days, from the session before to the one after."""
    day, ohlc = bars.dates.astype(np.int64), bars.ohlc
    share = (day[rows] - day[known]) / np.maximum(day[ends] - day[known], 1)
    line: np.ndarray = ohlc[known] + share[:, None] * (ohlc[ends] - ohlc[known])
    return line
