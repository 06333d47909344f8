"""Which week candles keep, and whether it is their calendar's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.week import calendar_of, misfit, week_of

MakeBars = Callable[..., Bars]


def days(first: str, last: str, week: str) -> np.ndarray:
    """All days of a week between two dates: `1111001` is Sunday to Thursday."""
    every = np.arange(first, last, dtype="datetime64[D]")
    return every[np.is_busday(every, week)]


def held(calendar: str, first: str, last: str) -> np.ndarray:
    return sessions(calendar, np.datetime64(first), np.datetime64(last))


FITTING = {
    "a stock on its exchange": ("XNYS", held("XNYS", "2005-01-01", "2020-12-31")),
    "one on another exchange": ("XETR", held("XETR", "2015-01-01", "2020-12-31")),
    "crypto": ("24/7", days("2018-01-01", "2020-01-01", "1111111")),
    "currencies": ("24/5", days("2018-01-01", "2020-01-01", "1111100")),
    "Riyadh": ("XSAU", held("XSAU", "2021-01-03", "2023-12-31")),
    "Kuwait on a week": ("Sun-Thu", days("2018-01-01", "2020-01-01", "1111001")),
    "Tel Aviv before 2026": ("XTAE", days("2018-01-01", "2025-12-01", "1111001")),
    "Tel Aviv over its change of week": (
        "XTAE",
        np.concatenate([days("2024-01-01", "2026-01-05", "1111001"), days("2026-01-05", "2026-10-01", "1111100")]),
    ),
    "Seoul when it traded on Saturdays": ("XKRX", held("XKRX", "1994-01-01", "2004-12-31")),
    "Riyadh, with a time before the calendar begins when it traded from Saturday to Wednesday": (
        "XSAU",
        np.concatenate([days("2010-01-01", "2013-06-29", "1110011"), held("XSAU", "2021-01-03", "2023-12-31")]),
    ),
    "New York before 1960, on Saturdays too": (
        "XNYS",
        np.concatenate([days("1950-01-02", "1952-09-01", "1111110"), held("XNYS", "1960-01-01", "1970-12-31")]),
    ),
    "every second session": ("XNYS", held("XNYS", "2015-01-01", "2020-12-31")[::2]),
    "twenty candles": ("XNYS", held("XNYS", "2015-01-01", "2020-12-31")[:20]),
    "one candle": ("XNYS", held("XNYS", "2015-01-01", "2020-12-31")[:1]),
    "none": ("XNYS", held("XNYS", "2015-01-01", "2020-12-31")[:0]),
    "Bombay with a special Sunday": (
        "XBOM",
        np.sort(np.append(held("XBOM", "2018-01-01", "2020-12-31"), np.datetime64("2019-10-27"))),
    ),
    "Taipei with Saturdays that make up for bridge days": (
        "XTAI",
        np.sort(np.append(held("XTAI", "2015-01-01", "2018-12-31"), np.array(["2016-06-04", "2017-02-18"], "M8[D]"))),
    ),
}


@pytest.mark.parametrize("kind", FITTING)
def test_candles_on_their_own_calendar_fit(make_bars: MakeBars, kind: str) -> None:
    calendar, dates = FITTING[kind]
    bars = make_bars("T", dates, calendar=calendar)
    assert misfit(bars) is None
    assert calendar_of(bars) == calendar


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4, 0.6, 0.8, 0.95])
def test_a_ticker_that_trades_now_and_then_fits(make_bars: MakeBars, share: float) -> None:
    every, draw = held("XNYS", "2010-01-01", "2020-12-31"), np.random.default_rng(1)
    for _ in range(10):
        bars = make_bars("T", every[draw.random(len(every)) < share])
        assert misfit(bars) is None
        assert calendar_of(bars) == "XNYS"


OTHERS = {
    "crypto on a stock's": (
        "XNYS",
        days("2023-10-01", "2024-03-02", "1111111"),
        "48 of 153 candles are on days when XNYS is closed (first Sunday 2023-10-01)",
        "24/7",
    ),
    "Kuwait": (
        "XNYS",
        days("2023-01-02", "2024-03-02", "1111001"),
        "there are none on Fridays, when XNYS trades",
        "Sun-Thu",
    ),
    "Tel Aviv": ("XNYS", days("2023-01-02", "2024-03-02", "1111001"), "(first Sunday 2023-01-08)", "Sun-Thu"),
    "a stock on crypto's": (
        "24/7",
        held("XNYS", "2023-01-02", "2024-03-02"),
        "there are none on Saturdays and Sundays, when 24/7 trades",
        "24/5",
    ),
    "currencies with candles of Sunday evenings": (
        "24/5",
        days("2023-01-02", "2024-03-02", "1111101"),
        "60 of 365 candles are on days when 24/5 is closed (first Sunday 2023-01-08)",
        "Sun-Fri",
    ),
    "Kathmandu": ("XNYS", days("2023-01-02", "2024-03-02", "1111001"), "XNYS is closed", "Sun-Thu"),
    "Tehran": ("XNYS", days("2023-01-02", "2024-03-02", "1110011"), "none on Thursdays and Fridays", "Sat-Wed"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_candles_of_another_week_are_seen_with_the_calendar_to_name(make_bars: MakeBars, kind: str) -> None:
    calendar, dates, text, fitting = OTHERS[kind]
    bars = make_bars("T", dates, calendar=calendar)
    found = misfit(bars)
    assert found is not None
    assert text in found.text
    assert (found.calendar, found.shifted) == (fitting, False)
    assert calendar_of(bars) == fitting
    assert misfit(make_bars("T", dates, calendar=fitting)) is None


def test_weekdays_without_holidays_are_those_of_currencies(make_bars: MakeBars) -> None:
    bars = make_bars("T", days("2023-01-02", "2024-03-02", "1111100"))
    found = misfit(bars)
    assert found is not None
    assert found.text == "13 of 305 candles are on days when XNYS is closed (first Monday 2023-01-02)"
    assert found.calendar == "24/5"


def test_another_exchange_s_holidays_are_seen(make_bars: MakeBars) -> None:
    bars = make_bars("T", held("XETR", "2015-01-01", "2020-12-31"))
    found = misfit(bars)
    assert found is not None
    assert found.text.startswith("37 of 1516 candles are on days when XNYS is closed (first Monday 2015-01-19)")
    assert found.calendar is None  # which exchange it is only its user knows
    assert calendar_of(bars) == "XNYS"


def test_a_stray_saturday_is_seen(make_bars: MakeBars) -> None:
    dates = np.sort(np.append(held("XNYS", "2018-01-01", "2020-12-31"), np.datetime64("2019-05-04")))
    found = misfit(make_bars("T", dates))
    assert found is not None
    assert found.text == "1 of 757 candles is on a day when XNYS is closed (Saturday 2019-05-04)"
    assert found.calendar is None


def test_half_a_history_on_another_week_is_seen_and_the_present_week_is_expected(make_bars: MakeBars) -> None:
    once, now = days("2019-01-01", "2022-01-01", "1111001"), held("XNYS", "2022-01-01", "2024-03-01")
    bars = make_bars("T", np.concatenate([once, now]))
    found = misfit(bars)
    assert found is not None
    assert "until 2021-12-30 there are none on Fridays, when XNYS traded" in found.text
    assert calendar_of(bars) == "XNYS"
    turned = make_bars(
        "T", np.concatenate([held("XNYS", "2019-01-01", "2021-12-31"), days("2022-01-02", "2024-03-01", "1111001")])
    )
    assert calendar_of(turned) == "Sun-Thu"


def test_half_a_history_without_weekends_is_seen_on_a_calendar_of_every_day(make_bars: MakeBars) -> None:
    both = np.concatenate([days("2018-01-01", "2020-01-01", "1111100"), days("2020-01-01", "2022-01-01", "1111111")])
    found = misfit(make_bars("T", both, calendar="24/7"))
    assert found is not None
    assert found.text == "until 2019-12-31 there are none on Saturdays and Sundays, when 24/7 traded"


@pytest.mark.parametrize(("days_off", "way"), [(-1, "later"), (1, "earlier")])
def test_dates_that_are_all_a_day_off_are_known_as_such(make_bars: MakeBars, days_off: int, way: str) -> None:
    dates = held("XETR", "2023-03-01", "2023-08-14") + np.timedelta64(days_off, "D")
    found = misfit(make_bars("T", dates, calendar="XETR"))
    assert found is not None
    assert found.text.endswith(f"one day {way} all would fit, as if the dates were in another time zone")
    assert (found.calendar, found.shifted) == (None, True)


def test_filled_weekends_are_no_week_of_their_own(make_bars: MakeBars) -> None:
    real = make_bars("T", held("XNYS", "2023-01-01", "2024-03-01"))
    every = np.arange(real.dates[0], real.dates[-1] + 1)
    before = np.searchsorted(real.dates, every, "right") - 1
    columns = {name: getattr(real, name)[before] for name in ("open", "high", "low", "close", "adj_close")}
    padded = make_bars("T", every, **columns)
    assert misfit(padded) is None
    assert calendar_of(padded) == "XNYS"


def test_what_comes_later_does_not_change_the_week_that_is_expected(make_bars: MakeBars) -> None:
    dates = np.concatenate([days("2021-01-01", "2022-01-01", "1111001"), days("2022-01-01", "2023-01-01", "1111100")])
    bars = make_bars("T", dates)
    assert calendar_of(bars.between(end=np.datetime64("2021-12-30"))) == "Sun-Thu"
    assert calendar_of(bars) == "XNYS"


def test_of_an_unknown_exchange_the_newest_candles_show_the_week() -> None:
    assert week_of(days("2023-01-01", "2024-01-01", "1111001")) == "Sun-Thu"
    assert week_of(days("2023-01-01", "2024-01-01", "1111100")) == "24/5"
    assert week_of(days("2023-01-01", "2024-01-01", "1111111")) == "24/7"
    assert week_of(held("XNYS", "2023-01-01", "2024-01-01")[:10]) == "24/5"
    changed = np.concatenate([days("2021-01-01", "2022-01-01", "1111001"), days("2022-01-01", "2023-01-01", "1111100")])
    assert week_of(changed) == "24/5"
