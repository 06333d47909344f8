"""What looks wrong in a history: sessions that are missing, a price that does not move, and what a store takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.quality import admit, interpret, missing_sessions, oddities, unmoved_since
from forecaster.errors import DataError

MakeBars = Callable[..., Bars]

DAYS = sessions("XNYS", np.datetime64("2018-01-01"), np.datetime64("2019-12-31"))
EVERY = np.arange("2023-10-01", "2024-03-02", dtype="datetime64[D]")


def kinds(bars: Bars) -> list[str]:
    return [oddity.kind for oddity in oddities(bars)]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5])
def test_a_hole_of_some_sessions_is_missing(make_bars: MakeBars, length: int) -> None:
    at = int(np.searchsorted(DAYS, np.datetime64("2019-05-06")))  # a Monday
    hole = DAYS[at : at + length]
    bars = make_bars("T", np.setdiff1d(DAYS, hole))
    (found,) = oddities(bars)
    wide = length == 5  # ten days from Friday to Monday: more than any closure
    assert found.kind == ("gap" if wide else "missing")
    assert np.array_equal(missing_sessions(bars), [] if wide else hole)
    assert str(hole[0]) in found.text or wide


def test_several_holes_are_told_by_their_number_and_their_ends(make_bars: MakeBars) -> None:
    bars = make_bars("T", np.delete(DAYS, [100, 200, 201, 300]))
    (found,) = oddities(bars)
    assert found.text == f"4 sessions have no candle, the first on {DAYS[100]}, the last on {DAYS[300]}"


def test_a_ticker_that_trades_now_and_then_misses_nothing(make_bars: MakeBars) -> None:
    draw = np.random.default_rng(0)
    for share in (0.3, 0.5, 0.9):
        bars = make_bars("T", DAYS[draw.random(len(DAYS)) < share])
        assert len(missing_sessions(bars)) == 0
    assert len(missing_sessions(make_bars("T", DAYS[::2]))) == 0


def test_a_short_history_may_have_holes(make_bars: MakeBars) -> None:
    assert len(missing_sessions(make_bars("T", np.delete(DAYS[:30], [10, 20])))) == 2


def test_crypto_misses_its_weekends_too(make_bars: MakeBars) -> None:
    bars = make_bars("T", np.setdiff1d(EVERY, np.array(["2023-12-25", "2024-01-06"], "M8[D]")), calendar="24/7")
    assert [str(day) for day in missing_sessions(bars)] == ["2023-12-25", "2024-01-06"]


def test_currencies_rest_at_the_turn_of_the_year(make_bars: MakeBars) -> None:
    weekdays = EVERY[np.is_busday(EVERY)]
    rest = np.array(["2023-12-25", "2024-01-01"], "M8[D]")
    assert kinds(make_bars("T", np.setdiff1d(weekdays, rest), calendar="24/5")) == []
    lost = np.append(rest, np.datetime64("2024-02-07"))
    bars = make_bars("T", np.setdiff1d(weekdays, lost), calendar="24/5")
    assert [str(day) for day in missing_sessions(bars)] == ["2024-02-07"]


def test_where_holidays_are_not_known_nothing_is_missing(make_bars: MakeBars) -> None:
    dates = EVERY[np.is_busday(EVERY, "1111001")]
    eid = (dates >= np.datetime64("2023-12-03")) & (dates <= np.datetime64("2023-12-12"))
    for calendar in ("Sun-Thu", "XTAE"):
        assert kinds(make_bars("T", dates[~eid], calendar=calendar)) == []


def test_where_the_calendar_is_not_the_candles_own_that_is_what_is_wrong(make_bars: MakeBars) -> None:
    assert kinds(make_bars("T", EVERY[np.is_busday(EVERY, "1111001")])) == ["calendar"]
    assert kinds(make_bars("T", EVERY[np.is_busday(EVERY)], calendar="24/7")) == ["calendar"]


def still(make_bars: MakeBars, moved: int, rows: int, volume: float, calendar: str = "XNYS") -> Bars:
    """Candles that move at first, and then stand at one price."""
    bars = make_bars("T", DAYS[: moved + rows], calendar=calendar)
    names = ("open", "high", "low", "close", "adj_close")
    columns = {name: np.append(getattr(bars, name)[:moved], np.full(rows, 5.0)) for name in names}
    return make_bars("T", bars.dates, **columns, volume=np.append(np.full(moved, 9.0), np.full(rows, volume)))


@pytest.mark.parametrize(
    ("moved", "rows", "volume", "seen"),
    [(100, 10, 0.0, True), (100, 9, 0.0, False), (100, 59, 7.0, False), (100, 60, 7.0, True), (0, 200, 0.0, True)],
)
def test_a_price_that_stands_still_is_said_since_when(
    make_bars: MakeBars, moved: int, rows: int, volume: float, seen: bool
) -> None:
    bars = still(make_bars, moved, rows, volume)
    assert unmoved_since(bars) == (bars.dates[moved] if seen else None)
    without = "" if volume else ", without volume"
    expected = f"the price has not moved since {bars.dates[moved]}: {rows} candles at 5{without}"
    assert [oddity.text for oddity in oddities(bars)] == ([expected] if seen else [])


def test_a_price_that_moves_again_stands_still_no_more(make_bars: MakeBars) -> None:
    before = still(make_bars, 100, 100, 0.0)
    columns = {name: getattr(before, name).copy() for name in ("open", "high", "low", "close", "adj_close")}
    columns["high"][-1] = 5.5
    assert unmoved_since(make_bars("T", before.dates, **columns, volume=before.volume)) is None


def test_good_candles_are_taken_as_they_are(make_bars: MakeBars) -> None:
    bars = make_bars("T", DAYS)
    assert admit(bars) == (bars, ())
    read = interpret(bars)
    assert (read.bars, read.calendar, read.notes) == (bars, "XNYS", ())


def test_a_store_takes_candles_of_another_calendar_and_says_what_to_name(make_bars: MakeBars) -> None:
    bars = make_bars("T", EVERY)
    taken, (note,) = admit(bars)
    assert taken is bars
    assert note.endswith("(first Sunday 2023-10-01): fetch it with its own calendar, --calendar 24/7")


def test_a_forecast_reads_them_on_the_week_that_they_keep_and_says_so(make_bars: MakeBars) -> None:
    bars = make_bars("T", EVERY)
    read = interpret(bars)
    assert (read.bars, read.calendar) == (bars, "24/7")  # what was learnt of them was learnt on the calendar they had
    (note,) = read.notes
    assert note.startswith("T's candles do not fit its calendar: 48 of 153 candles are on days")
    assert note.endswith("Its next sessions follow the weekdays of its candles, 24/7.")


def test_neither_takes_weekly_ones(make_bars: MakeBars) -> None:
    weekly = make_bars("T", DAYS[::5])
    for act in (admit, interpret):
        with pytest.raises(DataError, match="daily candles are expected"):
            act(weekly)
    assert kinds(weekly) == ["interval"]


def test_what_an_older_store_has_is_read_without_its_filled_weekends(make_bars: MakeBars) -> None:
    real = make_bars("T", DAYS[:100])
    every = np.arange(DAYS[0], DAYS[99] + 1)
    before = np.searchsorted(real.dates, every, "right") - 1
    columns = {name: getattr(real, name)[before] for name in ("open", "high", "low", "close", "adj_close", "volume")}
    padded = make_bars("T", every, **columns)
    assert kinds(padded) == ["filled"]
    read = interpret(padded)
    (note,) = read.notes
    assert read.bars.same_as(real)
    assert note.startswith(f"T: {len(every) - 100} candles on days when XNYS is closed")
