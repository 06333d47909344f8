from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from forecaster.data.bars import COLUMNS, Bars
from forecaster.errors import DataError

Make = Callable[..., Bars]


def test_adjusted_prices_are_price_times_adj_close_over_close(make_bars: Make) -> None:
    bars = make_bars()
    np.testing.assert_allclose(bars.adjusted(), bars.ohlc * 0.5, rtol=1e-15)
    np.testing.assert_allclose(bars.adjusted()[:, 3], bars.adj_close, rtol=1e-15)


def test_prices_that_need_no_adjustment_keep_their_bits(make_bars: Make) -> None:
    bars = make_bars()
    same = make_bars(adj_close=bars.close.copy())
    assert np.array_equal(same.adjusted(), same.ohlc)


def test_real_candles_stay_coherent_when_adjusted(real_bars: dict[str, Bars]) -> None:
    for bars in real_bars.values():
        open_, high, low, close = bars.adjusted().T
        assert np.all(high >= np.maximum(open_, close) * (1 - 1e-6))
        assert np.all(low <= np.minimum(open_, close) * (1 + 1e-6))


def test_between_takes_both_ends_and_may_be_empty(make_bars: Make) -> None:
    bars = make_bars(days=["2020-01-02", "2020-01-03", "2020-01-06"])
    day = np.datetime64
    assert len(bars.between(day("2020-01-03"), day("2020-01-06"))) == 2
    assert len(bars.between(day("2020-01-04"), day("2020-01-05"))) == 0
    assert bars.between().same_as(bars)
    assert bars.between(end=day("2020-01-03")).dates[-1] == day("2020-01-03")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"dates": np.array(["2020-01-02", "2020-01-02"], "datetime64[D]")},
            "2020-01-02 is duplicated or out of order",
        ),
        (
            {"dates": np.array(["2020-01-03", "2020-01-02"], "datetime64[D]")},
            "2020-01-02 is duplicated or out of order",
        ),
        ({"dates": np.array(["2020-01-03", "NaT"], "datetime64[D]")}, "NaT is duplicated or out of order"),
        ({"open": np.array([100.0, 0.0])}, "open on 2020-01-03 is 0.0, expected > 0"),
        ({"adj_close": np.array([100.0, np.nan])}, "adj_close on 2020-01-03 is nan, expected > 0"),
        ({"close": np.array([np.inf, 100.0])}, "close on 2020-01-02 is inf, expected > 0"),
        ({"high": np.array([1.0, 1.0])}, "the candle of 2020-01-02 has a high or low that does not enclose"),
        ({"volume": np.array([1.0, -1.0])}, "volume on 2020-01-03 is -1.0, expected ≥ 0"),
    ],
)
def test_impossible_candles_are_refused_with_date_and_value(
    make_bars: Make, changes: dict[str, np.ndarray], complaint: str
) -> None:
    with pytest.raises(DataError, match=r"^AAPL: ") as caught:
        make_bars(days=2, **changes)
    assert complaint in str(caught.value)


def test_a_high_that_misses_the_close_by_rounding_is_taken(make_bars: Make) -> None:
    close = np.array([100.0, 100.0])
    assert len(make_bars(days=2, open=close, high=close * (1 - 5e-7), low=close * 0.9, close=close)) == 2


def test_bars_cannot_be_changed_and_leave_their_callers_arrays_writable(make_bars: Make) -> None:
    volume = np.array([1.0, 2.0])
    bars = make_bars(days=2, volume=volume)
    with pytest.raises(FrozenInstanceError):
        bars.ticker = "X"  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"read-only"):
        bars.volume[0] = 5
    volume[0] = 5


@pytest.mark.parametrize("name", COLUMNS)
def test_equality_sees_each_column(make_bars: Make, name: str) -> None:
    bars = make_bars()
    assert bars.same_as(make_bars())
    column = getattr(bars, name).copy()
    column[2] = np.nextafter(column[2], 1e9)
    assert not bars.same_as(make_bars(**{name: column}))
    assert not bars.same_as(make_bars(currency="EUR"))


def test_an_empty_history_is_allowed(make_bars: Make) -> None:
    assert len(make_bars(days=0)) == 0
