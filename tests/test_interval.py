"""Weekly, monthly and other candles that are not daily are told from daily ones, however thin these are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.interval import daily, not_daily
from forecaster.errors import DataError

MakeBars = Callable[..., Bars]

DAYS = sessions("XNYS", np.datetime64("2000-01-01"), np.datetime64("2014-12-31"))


def last_of_each(rule: str) -> np.ndarray:
    """The last session of each week, month and so on, as files that are made from daily ones have it."""
    days = pd.DatetimeIndex(DAYS)
    return np.asarray(pd.Series(days, days).resample(rule).last().dropna(), "datetime64[D]")


INTERVALS = {
    "Fridays": (np.arange("2000-01-07", "2014-12-31", 7, "datetime64[D]"), "weekly"),
    "Sundays, as some label weeks": (np.arange("2000-01-02", "2014-12-31", 7, "datetime64[D]"), "weekly"),
    "last sessions of weeks": (last_of_each("W-FRI"), "weekly"),
    "firsts of months": (np.arange("2000-01", "2014-12", dtype="datetime64[M]").astype("datetime64[D]"), "monthly"),
    "last sessions of months": (last_of_each("ME"), "monthly"),
    "last sessions of quarters": (last_of_each("QE"), "quarterly"),
    "last sessions of years": (last_of_each("YE"), "yearly"),
    "every second week": (np.arange("2000-01-07", "2014-12-31", 14, "datetime64[D]"), "a fortnight apart"),
    "candles of three days": (np.arange("2000-01-07", "2001-12-31", 3, "datetime64[D]"), "three days apart"),
}


@pytest.mark.parametrize("kind", INTERVALS)
def test_candles_that_are_not_daily_are_refused(make_bars: MakeBars, kind: str) -> None:
    dates, name = INTERVALS[kind]
    with pytest.raises(DataError) as raised:
        daily(make_bars("T", dates))
    assert str(raised.value).startswith(f"T: its {len(dates)} candles from {dates[0]} to {dates[-1]} are {name}")
    assert str(raised.value).endswith(": daily candles are expected.")


@pytest.mark.parametrize("rows", [5, 6, 12, 30])
def test_a_few_weekly_candles_are_enough_to_tell(make_bars: MakeBars, rows: int) -> None:
    with pytest.raises(DataError, match=r"are weekly \(7 days apart\)"):
        daily(make_bars("T", last_of_each("W-FRI")[:rows]))


def test_a_last_candle_of_the_week_that_is_not_over_makes_no_difference(make_bars: MakeBars) -> None:
    dates = np.append(np.arange("2012-01-02", "2014-12-29", 7, "datetime64[D]"), np.datetime64("2014-12-24"))
    with pytest.raises(DataError, match=f"its {len(dates) - 1} candles"):
        daily(make_bars("T", dates))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3, 0.5, 0.9])
def test_a_ticker_that_trades_now_and_then_is_daily(make_bars: MakeBars, share: float) -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        bars = make_bars("T", DAYS[draw.random(len(DAYS)) < share])
        assert daily(bars) == (bars, ())


@pytest.mark.parametrize("days", [(1, 3), (0, 2, 4), (0, 3)])
def test_a_fund_that_is_priced_on_some_days_of_the_week_is_daily(make_bars: MakeBars, days: tuple[int, ...]) -> None:
    bars = make_bars("T", DAYS[np.isin((DAYS.astype(int) + 3) % 7, days)])
    assert daily(bars) == (bars, ())


@pytest.mark.parametrize("count", [0, 1, 2, 20, len(DAYS)])
def test_daily_candles_pass_without_a_word(make_bars: MakeBars, count: int) -> None:
    bars = make_bars("T", DAYS[:count])
    assert daily(bars) == (bars, ())
    assert not_daily(bars.dates) is None


def test_every_second_session_is_a_thin_ticker(make_bars: MakeBars) -> None:
    assert not_daily(DAYS[::2]) is None


def test_a_history_that_was_weekly_once_keeps_its_daily_part(make_bars: MakeBars) -> None:
    since = np.datetime64("2008-01-01")
    weeks, months = last_of_each("W-FRI"), last_of_each("ME")
    dates = np.concatenate([months[months < np.datetime64("2004-01-01")], weeks[weeks > np.datetime64("2004-02-01")]])
    mixed = np.concatenate([dates[dates < since], DAYS[since <= DAYS]])
    kept, (note,) = daily(make_bars("T", mixed))
    assert np.array_equal(kept.dates, DAYS[since <= DAYS][1:])  # the first is a week after the last weekly one
    assert "are weekly, not daily: they and all earlier ones were dropped" in note


def test_a_history_that_ends_weekly_is_refused(make_bars: MakeBars) -> None:
    weeks, since = last_of_each("W-FRI"), np.datetime64("2012-01-01")
    with pytest.raises(DataError, match="are weekly"):
        daily(make_bars("T", np.concatenate([DAYS[since > DAYS], weeks[weeks > since]])))


def test_a_pause_of_months_is_no_interval(make_bars: MakeBars) -> None:
    bars = make_bars("T", np.concatenate([DAYS[:500], DAYS[700:1000], DAYS[1030:]]))
    assert daily(bars) == (bars, ())
