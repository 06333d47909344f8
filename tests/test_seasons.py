"""Features of earlier quarters, of the coming session and of the market, against slow definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.data.calendars import following_sessions
from forecaster.data.panel import Panel
from forecaster.features.blocks import MARKET_AGE, by_block, measure_market
from forecaster.features.candles import MARKET_NAMES, Candles
from forecaster.features.compute import compute_features
from forecaster.features.seasons import event_size
from tests.studio import bars, panel

ROWS = 420


@pytest.fixture(scope="module")
def one() -> Panel:
    return panel(ROWS)


def feature(of: Panel, name: str) -> np.ndarray:
    found = compute_features(of, (name.partition(".")[0],))
    return found.values[:, found.names.index(name)]


def first_row(of: Panel, row: int, quarters: int) -> int | None:
    """The definition: the first row dated on or after the next session less 91 days a quarter."""
    following = following_sessions("XNYS", of.sessions[row : row + 1])[0]
    target = following - 91 * quarters * np.timedelta64(1, "D")
    if target < of.sessions[0]:
        return None
    return int(np.argmax(of.sessions >= target))


@pytest.mark.parametrize("quarters", [1, 4])
def test_season_is_the_largest_shock_about_the_same_date_of_an_earlier_quarter(one: Panel, quarters: int) -> None:
    shock = np.nan_to_num(by_block(one, lambda candles: candles.shock))
    week = feature(one, f"season.week_{quarters}")
    day = feature(one, f"season.day_{quarters}")
    for row in (30, 70, 150, 300, ROWS - 1):
        start = first_row(one, row, quarters)
        after = 0.0 if start is None else shock[start : start + 6].max()
        about = 0.0 if start is None else max(shock[max(start - 1, 0) : start + 2].max(), 0.0 if start == 0 else -9)
        assert week[row] == pytest.approx(np.clip(after, -2, 3), abs=1e-6)
        assert day[row] == pytest.approx(np.clip(about, -2, 3), abs=1e-6)


@pytest.mark.parametrize("offset", [-3, 0, 7])
def test_earnings_look_up_the_event_so_many_sessions_from_the_same_date(one: Panel, offset: int) -> None:
    event = by_block(one, event_size)
    found = feature(one, f"earnings.quarter_2_{offset:+d}")
    for row in (100, 200, 350, ROWS - 1):
        start = first_row(one, row, 2)
        inside = start is not None and start + offset >= 0
        assert found[row] == pytest.approx(event[start + offset] if inside else 0.0, abs=1e-6)


def test_sessions_since_the_last_event_begin_at_250_and_at_0_on_its_day() -> None:
    quiet = bars(rows=200)
    volume = quiet.volume.copy()
    high = quiet.high.copy()
    volume[120] = 1e9
    high[120] *= 1.5
    of = Panel.of([replace(quiet, volume=volume, high=high)])
    event = by_block(of, event_size)
    since = feature(of, "earnings.since_20")
    assert event[120] > 1.5
    assert since[120] == pytest.approx(1.0)
    assert since[125] == pytest.approx(np.exp(-5 / 20))
    first = int(np.argmax(event > 1.5))
    assert since[first - 1] == pytest.approx(np.exp(-250 / 20), abs=1e-6)


def test_calendar_speaks_of_the_coming_session_and_the_pause_before_it() -> None:
    of = Panel.of([bars(rows=60, start="2012-11-01")])
    at = {str(date): row for row, date in enumerate(of.sessions)}
    assert feature(of, "calendar.december")[at["2012-11-30"]] == 1  # a Friday; the next session is 2012-12-03
    assert feature(of, "calendar.december")[at["2012-11-29"]] == 0
    assert feature(of, "calendar.pause")[at["2012-12-24"]] == 1  # over Christmas Day
    assert feature(of, "calendar.long_pause")[at["2013-01-18"]] == 1  # a weekend and Martin Luther King Day
    assert feature(of, "calendar.third_8")[at["2012-11-30"]] == 0
    assert feature(of, "calendar.third_6")[at["2012-11-30"]] == 1  # the first third of the quarter's last month


def test_market_is_the_mean_over_the_tickers_of_the_date_that_are_old_enough() -> None:
    of = panel(120, 100, 60)
    shock = by_block(of, lambda candles: candles.shock)
    row = int(of.offsets[1]) + 50
    same = np.flatnonzero(of.sessions == of.sessions[row])
    old = [n for n in same if n - of.offsets[of.ticker_of_row[n]] > MARKET_AGE]
    assert 2 <= len(old) <= len(same)
    assert feature(of, "market.shock")[row] == pytest.approx(shock[old].mean(), abs=1e-6)


def test_a_market_of_another_exchange_is_not_known_here() -> None:
    york, tokyo = panel(200), Panel.of([replace(bars("T1", 200, 5), calendar="XTKS")])
    both = Panel.of([bars("T0", 200), replace(bars("T1", 200, 5), calendar="XTKS")])
    alone = np.concatenate([compute_features(york, ("market",)).values, compute_features(tokyo, ("market",)).values])
    assert np.array_equal(compute_features(both, ("market",)).values, alone)
    assert set(measure_market(both).dates) == {"XNYS", "XTKS"}


def test_a_market_that_did_not_trade_is_zero() -> None:
    of, market = panel(100), panel(80)
    found = compute_features(of, ("market",), market).values
    assert np.all(found[80:] == 0)
    assert found[50:80].any()
    assert found.shape[1] == len(MARKET_NAMES)


def test_shape_is_the_share_of_each_part_in_the_long_volatility(one: Panel) -> None:
    def shares(candles: Candles) -> np.ndarray:
        volatility = candles.volatility((66.0,))[..., 0]
        return np.log(candles.mean(np.abs(candles.returns), (66.0,))[..., 0] / volatility) + 0.4

    found = feature(one, "shape.move")
    np.testing.assert_allclose(found[60:], by_block(one, shares)[60:], atol=1e-5)
