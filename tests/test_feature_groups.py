"""Each feature group: the contract that all keep, and the values of those that ship."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecaster.data.panel import Panel
from forecaster.errors import UnknownNameError
from forecaster.features import GROUPS
from forecaster.features.compute import compute_features
from tests.studio import CUTS, bars, futures, panel
from tests.test_candles import logs_of, slow_scale, slow_variance


def slow_vol(logs: np.ndarray) -> np.ndarray:
    scale, variance = slow_scale(logs), slow_variance(logs)
    table = np.zeros((len(logs), 7))
    for row in range(1, len(logs)):
        table[row, 0] = (math.log(scale[row]) + 4.2) / 0.5
        table[row, 1] = math.log(max(math.sqrt(variance[row]), 1e-3) / scale[row])
        for column, half_life in ((2, 3), (3, 66), (4, 252)):
            table[row, column] = math.log(slow_scale(logs[: row + 1], half_life)[-1] / scale[row])
        for column, days in ((5, 5), (6, 22)):
            if row >= days:
                table[row, column] = (logs[row, 3] - logs[row - days, 3]) / (scale[row] * math.sqrt(days))
    return table.clip(-8, 8)


@pytest.mark.parametrize("name", GROUPS.names())
def test_features_are_finite_clipped_and_single_precision(name: str) -> None:
    of = panel(150, 90, 3, 1)
    wild = replace(of, prices=of.prices * np.where(np.arange(244) == 70, 50.0, 1.0)[:, None])
    features = compute_features(wild, [name])
    assert features.values.dtype == np.float32
    assert features.values.shape == (244, len(features.names))
    assert np.all(np.abs(features.values) <= 8)
    assert len(set(features.names)) == len(features.names)
    assert all(column.startswith(f"{name}.") for column in features.names)


@pytest.mark.parametrize("name", GROUPS.names())
def test_no_feature_is_always_the_same(name: str) -> None:
    assert np.all(compute_features(panel(1000, 900), [name]).values.std(axis=0) > 0)


@pytest.mark.parametrize("name", GROUPS.names())
@pytest.mark.parametrize("day", CUTS, ids=str)
def test_rows_after_a_day_do_not_reach_its_features_by_a_single_bit(
    panel_with_holes: Panel, name: str, day: np.datetime64
) -> None:
    of, later = panel_with_holes, panel_with_holes.sessions > day
    whole, others = compute_features(of, [name]), {}
    for how, future in futures(of, day).items():
        others[how] = compute_features(future, [name])
        same = future.sessions <= day
        assert np.array_equal(whole.values[~later], others[how].values[same])
        assert np.array_equal(whole.scale[~later], others[how].scale[same])
        assert np.array_equal(whole.ready[~later], others[how].ready[same])
    assert not np.array_equal(whole.values[later], others["changed"].values[later]) or name in ("weekday", "calendar")


def test_base_is_the_geometry_over_the_scale() -> None:
    one = bars(rows=120)
    logs, scale = logs_of(one), np.array(slow_scale(logs_of(one)))
    open_, high, low, close = logs.T
    expected = np.zeros((120, 4))
    for row in range(1, 120):
        expected[row] = [
            open_[row] - close[row - 1],
            close[row] - open_[row],
            high[row] - max(open_[row], close[row]),
            min(open_[row], close[row]) - low[row],
        ] / scale[row]
    features = compute_features(Panel.of([one]), ["base"])
    assert features.names == ("base.gap", "base.body", "base.upper_wick", "base.lower_wick")
    np.testing.assert_allclose(features.values, expected.clip(-8, 8), atol=2e-6)
    np.testing.assert_allclose(features.scale[1:], scale[1:], rtol=1e-9)


def test_vol_is_level_shock_term_structure_and_trend() -> None:
    one = bars(rows=90, seed=4)
    features = compute_features(Panel.of([one]), ["vol"])
    np.testing.assert_allclose(features.values, slow_vol(logs_of(one)), atol=5e-6)


def test_a_still_day_has_the_shock_of_the_smallest_volatility() -> None:
    one = bars(rows=90)
    prices = {name: getattr(one, name).copy() for name in ("open", "high", "low", "close", "adj_close")}
    for column in prices.values():
        column[80] = prices["close"][79] if column is not prices["adj_close"] else prices["adj_close"][79]
    still = replace(one, **prices)
    features = compute_features(Panel.of([still]), ["vol"])
    assert features.values[80, 1] == pytest.approx(math.log(1e-3 / features.scale[80]), abs=1e-5)


def test_ohlc_is_each_price_over_the_previous_close_in_percent() -> None:
    one = bars(rows=70)
    logs = logs_of(one)
    features = compute_features(Panel.of([one]), ["ohlc"])
    assert features.names == ("ohlc.open", "ohlc.high", "ohlc.low", "ohlc.close")
    np.testing.assert_allclose(features.values[1:], 100 * (logs[1:] - logs[:-1, 3:]).clip(-0.08, 0.08), atol=1e-5)
    assert not features.values[0].any()


def test_volume_is_its_log_over_its_usual_log() -> None:
    one = bars(rows=80)
    one = replace(one, volume=np.where(np.arange(80) == 40, 1e12, one.volume))
    logs, decay, expected = np.log(np.maximum(one.volume, 1.0)), 0.5 ** (1 / 20), np.zeros(80)
    for row in range(1, 80):
        weights = decay ** (row - np.arange(1, row + 1))
        expected[row] = np.clip(logs[row] - (weights * logs[1 : row + 1]).sum() / weights.sum(), -3, 3)
    features = compute_features(Panel.of([one]), ["volume"])
    assert expected[40] == 3
    np.testing.assert_allclose(features.values[:, 0], expected, atol=1e-5)


def test_weekday_is_one_hot_and_empty_at_weekends() -> None:
    one = replace(bars(rows=14), dates=np.datetime64("2020-06-01") + np.arange(14))  # a Monday
    features = compute_features(Panel.of([one]), ["weekday"])
    week = np.concatenate([np.eye(5), np.zeros((2, 5))])
    assert np.array_equal(features.values, np.concatenate([week, week]))
    assert features.names[0] == "weekday.monday"


def test_groups_stand_side_by_side_in_the_order_asked_for() -> None:
    of = panel(80)
    both = compute_features(of, ["weekday", "base"])
    parts = [compute_features(of, [name]) for name in ("weekday", "base")]
    assert both.names == parts[0].names + parts[1].names
    assert np.array_equal(both.values, np.concatenate([part.values for part in parts], axis=1))


def test_an_unknown_group_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'weekday'"):
        compute_features(panel(70), ["weekdays"])


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'base' is registered twice"):
        GROUPS.add("base", GROUPS["base"])


@pytest.mark.parametrize("rows", [1, 5, 20, 23])
@pytest.mark.parametrize("name", GROUPS.names())
def test_a_ticker_shorter_than_any_lag_has_features_too(name: str, rows: int) -> None:
    assert np.isfinite(compute_features(panel(rows), [name]).values).all()
