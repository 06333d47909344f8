"""Weekends and holidays that a file fills with other days' prices are found and left out; real candles are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.filled import filled_rows, without_filled

MakeBars = Callable[..., Bars]

DAYS = sessions("XNYS", np.datetime64("2018-01-01"), np.datetime64("2018-12-31"))
NAMES = ["open", "high", "low", "close"]


def flat_at_the_close(frame: pd.DataFrame) -> pd.DataFrame:
    close = frame["close"].ffill()
    return frame.apply(lambda column: column.fillna(close))


FILLS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "the candle before, repeated": pd.DataFrame.ffill,
    "the last close": flat_at_the_close,
    "the last close, in cents": lambda frame: flat_at_the_close(frame).round(2),
    "the candle after, repeated": pd.DataFrame.bfill,
    "a straight line": pd.DataFrame.interpolate,
    "a straight line, in cents": lambda frame: frame.interpolate().round(2),
}


def frame_of(bars: Bars) -> pd.DataFrame:
    return pd.DataFrame(bars.ohlc, pd.DatetimeIndex(bars.dates), NAMES)


def bars_of(make_bars: MakeBars, frame: pd.DataFrame, calendar: str = "XNYS") -> Bars:
    columns = {name: frame[name].to_numpy() for name in NAMES}
    dates = frame.index.to_numpy().astype("datetime64[D]")
    volume = np.where(np.isin(dates, DAYS), 1000.0, 0.0)
    return make_bars("T", dates, **columns, adj_close=columns["close"], volume=volume, calendar=calendar)


@pytest.mark.parametrize("fill", FILLS)
def test_filled_weekends_and_holidays_are_left_out_and_counted(make_bars: MakeBars, fill: str) -> None:
    filled = bars_of(make_bars, FILLS[fill](frame_of(make_bars("T", DAYS)).asfreq("D")))
    kept, (note,) = without_filled(filled)
    assert np.array_equal(kept.dates, DAYS)
    lost = len(filled) - len(DAYS)
    assert note.startswith(f"{lost} candles on days when XNYS is closed (first Saturday 2018-01-06) repeat")
    assert note.endswith(": dropped")


def test_holidays_alone_that_are_filled_are_left_out(make_bars: MakeBars) -> None:
    days = frame_of(make_bars("T", DAYS)).asfreq("B").ffill()
    assert np.array_equal(without_filled(bars_of(make_bars, days))[0].dates, DAYS)


def test_a_history_that_ends_on_a_filled_weekend_ends_on_its_friday(make_bars: MakeBars) -> None:
    frame = frame_of(make_bars("T", DAYS[:100])).asfreq("D").ffill()
    frame.loc[pd.Timestamp("2018-05-26")] = frame.iloc[-1]
    assert str(DAYS[99]) == "2018-05-24"
    kept, _ = without_filled(bars_of(make_bars, frame))
    assert kept.dates[-1] == DAYS[99]


def test_candles_of_a_market_that_trades_every_day_are_real(make_bars: MakeBars) -> None:
    bars = make_bars("T", np.arange("2018-01-01", "2018-07-01", dtype="datetime64[D]"))
    assert not filled_rows(bars).any()
    assert without_filled(bars) == (bars, ())
    on_its_own = replace(bars, calendar="24/7")
    assert without_filled(on_its_own) == (on_its_own, ())


def test_real_weekends_stay_where_a_few_candles_repeat(make_bars: MakeBars) -> None:
    frame = frame_of(make_bars("T", np.arange("2018-01-01", "2018-07-01", dtype="datetime64[D]")))
    frame.loc["2018-03-10"] = frame.loc["2018-03-09"]  # one Saturday of 26 weekends
    bars = bars_of(make_bars, frame)
    assert without_filled(bars) == (bars, ())


@pytest.mark.parametrize("price", [np.full(90, 5.0), np.linspace(10, 20, 90)], ids=["still", "even"])
def test_of_a_price_that_stands_still_or_rises_evenly_nothing_is_left_out(
    make_bars: MakeBars, price: np.ndarray
) -> None:
    frame = pd.DataFrame(dict.fromkeys(NAMES, price), pd.date_range("2018-01-01", periods=90))
    bars = bars_of(make_bars, frame)
    assert without_filled(bars) == (bars, ())


def test_a_full_history_and_an_empty_one_pass(make_bars: MakeBars) -> None:
    for bars in (make_bars("T", DAYS), make_bars("T", DAYS[:0]), make_bars("T", ["2018-01-06", "2018-01-07"])):
        assert without_filled(bars) == (bars, ())


def test_saturdays_before_1960_were_sessions_that_the_calendar_does_not_know(make_bars: MakeBars) -> None:
    frame = frame_of(make_bars("T", np.arange("1950-01-02", "1950-03-01", dtype="datetime64[D]")))
    assert not filled_rows(bars_of(make_bars, frame.resample("D").ffill())).any()
