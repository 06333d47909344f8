"""Value at risk, expected shortfall, contributions, drawdowns, and the tests of them: by hand and by the literature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2

from forecaster.positions.exceptions import christoffersen, kupiec, risk_test
from forecaster.positions.formula import close_beyond, touch
from forecaster.positions.measures import contributions, drawdowns, expected_shortfall, tail_weights, value_at_risk
from forecaster.positions.odds import beyond, first, size, touched, touched_with
from forecaster.positions.rivals import ewma_deviation, filtered, gaussian, historical


def test_measures_of_twenty_paths_by_hand() -> None:
    profits = np.array([-10.0, -6.0, *np.arange(18)])
    assert expected_shortfall(profits, 90) == pytest.approx(8)
    assert expected_shortfall(profits, 95) == pytest.approx(10)
    # Half of the second worst: (10 + 6 / 2) / 1.5.
    assert expected_shortfall(profits, 92.5) == pytest.approx(13 / 1.5)
    assert tail_weights(profits, 92.5).sum() == pytest.approx(1)
    assert float(value_at_risk(profits, 95)) == pytest.approx(-np.quantile(profits, 0.05))


def test_contributions_add_up_and_a_hedge_takes_away() -> None:
    rng = np.random.default_rng(0)
    one = rng.standard_normal(2_000)
    parts = np.column_stack([one, 0.5 * rng.standard_normal(2_000), -0.3 * one])
    for level in (95, 92.3, 99):
        found = contributions(parts, level)
        assert found.sum() == pytest.approx(expected_shortfall(parts.sum(axis=1), level))
        assert found[0] > found[1] > 0 > found[2]


def test_expected_shortfall_of_normal_profits_is_the_textbooks() -> None:
    profits = np.random.default_rng(1).standard_normal(400_000)
    assert float(value_at_risk(profits, 95)) == pytest.approx(1.645, abs=0.01)
    assert expected_shortfall(profits, 95) == pytest.approx(2.063, abs=0.015)
    assert expected_shortfall(profits, 99) == pytest.approx(2.665, abs=0.03)


def test_drawdowns_by_hand() -> None:
    values = np.array([[0.0, 3.0, 1.0, 4.0, -1.0], [0.0, 1.0, 2.0, 3.0, 4.0], [0.0, -2.0, -1.0, -5.0, 0.0]])
    assert drawdowns(values).tolist() == [5, 0, 5]


@pytest.mark.parametrize(
    ("share", "days", "lowest", "highest"),
    [(0.01, 510, 2, 10), (0.01, 1000, 5, 16), (0.05, 255, 7, 20), (0.05, 510, 17, 35), (0.05, 1000, 38, 64)],
)
def test_kupiec_rejects_where_his_table_does(share: float, days: int, lowest: int, highest: int) -> None:
    """Kupiec (1995), table 3: numbers of exceptions that a test at 5 % does not reject."""
    for number, passes in ((lowest - 1, False), (lowest, True), (highest, True), (highest + 1, False)):
        assert (kupiec(days, number, share) > 0.05) == passes, number


@pytest.mark.parametrize("exceptions", [0, 3, 25, 250])
def test_kupiec_is_the_likelihood_ratio_of_the_binomial(exceptions: int) -> None:
    ratio = 2 * (binom.logpmf(exceptions, 250, exceptions / 250) - binom.logpmf(exceptions, 250, 0.05))
    assert kupiec(250, exceptions, 0.05) == pytest.approx(float(chi2.sf(ratio, 1)), rel=1e-6)


def test_christoffersen_sees_clusters_and_accepts_chance() -> None:
    rng = np.random.default_rng(2)
    accepted = [christoffersen(rng.random(500) < 0.05) for _ in range(200)]
    assert np.mean([one is not None and one > 0.05 for one in accepted]) > 0.9
    clustered = np.zeros(500, bool)
    clustered[100:112], clustered[300:312] = True, True
    found = christoffersen(clustered)
    assert found is not None
    assert found < 1e-6
    assert christoffersen(np.zeros(500, bool)) is None


def test_shortfall_statistic_is_zero_as_promised_and_negative_where_losses_are_larger() -> None:
    rng = np.random.default_rng(3)
    profits = rng.standard_normal(100_000)
    risk, short = np.full(100_000, 1.6449), np.full(100_000, 2.0627)
    assert risk_test(profits, risk, short, 95).shortfall == pytest.approx(0, abs=0.03)
    worse = risk_test(2 * profits, risk, short, 95)
    assert worse.shortfall < -1
    assert worse.exceptions > 3 * worse.expected


def test_rivals_on_returns_of_known_volatility() -> None:
    rng = np.random.default_rng(4)
    returns = 0.01 * rng.standard_normal((2_000, 2))
    deviation = ewma_deviation(returns)
    assert deviation[100:].mean() == pytest.approx(0.01, rel=0.05)
    normal = gaussian(deviation, 1_500, 4, np.array([0.05, 0.5, 0.95]))
    np.testing.assert_allclose(normal[2], 1.6449 * 2 * deviation[1_500], rtol=1e-3)
    for sample in (historical(returns, 1_500, 4), filtered(returns, deviation, 1_500, 4)):
        assert sample.shape == (500, 2)
        assert sample.std() == pytest.approx(0.02, rel=0.25)
    np.testing.assert_allclose(historical(returns, 9, 4)[0], returns[:4].sum(axis=0))


@pytest.mark.parametrize("after", [1_501, 1_600])
def test_rivals_know_nothing_after_the_origin(after: int) -> None:
    returns = 0.01 * np.random.default_rng(5).standard_normal(2_000)
    changed = returns.copy()
    changed[after:] *= 9
    for one in (returns, changed):
        deviation = ewma_deviation(one)
        samples = (historical(one, 1_500, 5), filtered(one, deviation, 1_500, 5))
        if one is returns:
            known = samples
    for one, other in zip(known, samples, strict=True):
        np.testing.assert_array_equal(one, other)


def test_filtered_simulation_scales_with_the_volatility_of_today() -> None:
    rng = np.random.default_rng(6)
    returns = np.concatenate([0.01 * rng.standard_normal(1_000), 0.03 * rng.standard_normal(100)])
    deviation = ewma_deviation(returns)
    calm, wild = (filtered(returns, deviation, origin, 1).std() for origin in (999, 1_099))
    assert wild > 2 * calm


HIGHS = np.array([[11.0, 12.0], [10.5, 10.5], [13.0, 13.0], [10.0, 10.2]])
LOWS = np.array([[9.9, 9.0], [9.5, 8.0], [9.0, 9.0], [9.8, 9.8]])
CLOSES = np.array([[10.5, 11.5], [9.6, 8.5], [12.0, 10.0], [10.0, 10.1]])


def test_odds_of_four_paths_by_hand() -> None:
    on, by = beyond(CLOSES, 11, above=True)
    assert (on.tolist(), by.tolist()) == ([0.25, 0.25], [0.25, 0.5])
    on, by = beyond(CLOSES, 10.0, above=False)
    assert (on.tolist(), by.tolist()) == ([0.25, 0.25], [0.25, 0.25])
    assert touched(HIGHS, LOWS, 12, 10).tolist() == [0.25, 0.5]
    assert touched(HIGHS, LOWS, 9, 10).tolist() == [0.25, 0.75]
    found = first(HIGHS, LOWS, (12, 9), 10)
    assert (found.one, found.other, found.same_day, found.neither) == (0, 0.25, 0.5, 0.25)
    assert touched_with(HIGHS, LOWS, (0.5,)) == [(0.5, 9.0, 11.25)]


def test_sizes_by_hand() -> None:
    closes = 10 + np.arange(-100.0, 101.0)[:, None] / 100
    assert size(closes, 10, loss=90, level=95) == 100
    assert size(closes, 10, loss=0.5, level=95) == 0
    assert size(closes + 2, 10, loss=90, level=95) is None


def test_the_formula_is_the_random_walks() -> None:
    """Against a million steps of a random walk that is watched finely; twice the chance of the close, by reflection."""
    assert float(close_beyond(np.array(0.02), np.array(0.02))) == pytest.approx(0.15866, abs=1e-5)
    assert float(touch(np.array(0.02), np.array(0.02))) == pytest.approx(0.31731, abs=1e-5)
    rng = np.random.default_rng(8)
    walks = np.cumsum(rng.standard_normal((4_000, 2_000)) / np.sqrt(2_000), axis=1).max(axis=1)
    assert (walks >= 1).mean() == pytest.approx(float(touch(np.array(1.0), np.array(1.0))), abs=0.03)
