"""Diebold–Mariano on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from forecaster.evaluation.significance import by_date, dates_needed, diebold_mariano


def slow_statistic(differences: np.ndarray, lags: int) -> float:
    count, mean = len(differences), differences.mean()
    variance = 0.0
    for lag in range(-lags, lags + 1):
        weight = 1 - abs(lag) / (lags + 1)
        for time in range(count):
            if 0 <= time - lag < count:
                variance += weight * (differences[time] - mean) * (differences[time - lag] - mean) / count
    return float(mean / math.sqrt(variance / count))


def harvey(steps: int, count: int) -> float:
    return math.sqrt((count + 1 - 2 * steps + steps * (steps - 1) / count) / count)


@pytest.mark.parametrize(("steps", "lags"), [(1, 10), (5, 10), (20, 25)])
def test_the_variance_allows_for_overlap_with_bartlett_weights(steps: int, lags: int) -> None:
    noise = np.random.default_rng(0).normal(size=90)
    differences = 0.05 + np.convolve(noise, np.ones(5) / 5, "valid")
    expected = slow_statistic(differences, lags) * harvey(steps, len(differences))
    assert diebold_mariano(differences, steps).statistic == pytest.approx(expected, rel=1e-9)


def test_overlapping_losses_are_not_taken_for_independent_ones() -> None:
    noise = np.random.default_rng(1).normal(size=400)
    differences = 0.05 + np.convolve(noise, np.ones(20) / 20, "valid")
    naive = differences.mean() / (differences.std() / math.sqrt(len(differences)))
    assert abs(diebold_mariano(differences, 20).statistic) < 0.5 * abs(naive)


def test_a_better_first_forecast_has_a_negative_statistic_and_a_small_p() -> None:
    differences = np.random.default_rng(2).normal(-1, 1, size=200)
    better, worse = diebold_mariano(differences, 1), diebold_mariano(-differences, 1)
    assert better.statistic < -5
    assert better.p_value < 1e-6
    assert worse.statistic == pytest.approx(-better.statistic)
    assert worse.p_value == pytest.approx(better.p_value)


def test_p_is_that_of_students_t_on_both_sides() -> None:
    found = diebold_mariano(np.random.default_rng(3).normal(0.1, 1, size=100), 1)
    assert found.p_value == pytest.approx(2 * t(99).sf(abs(found.statistic)))


def test_the_dates_needed_shrink_with_the_square_of_the_statistic() -> None:
    assert dates_needed(2.8, 500) == 500
    assert dates_needed(-1.4, 500) == 2000
    assert dates_needed(0.0, 500) is None
    assert dates_needed(math.nan, 500) is None


def test_under_the_null_p_is_small_as_seldom_as_it_should_be() -> None:
    rng = np.random.default_rng(4)
    small = np.mean([diebold_mariano(rng.normal(size=300), 1).p_value < 0.05 for _ in range(400)])
    assert 0.02 < small < 0.10


def test_too_few_dates_or_no_difference_is_no_test() -> None:
    few = diebold_mariano(np.random.default_rng(5).normal(size=29), 1)
    same = diebold_mariano(np.zeros(100), 1)
    assert all(math.isnan(value) for one in (few, same) for value in (one.statistic, one.p_value))
    assert not math.isnan(diebold_mariano(np.random.default_rng(5).normal(size=30), 1).p_value)


def test_tickers_of_a_date_are_averaged_first() -> None:
    dates = np.array(["2020-01-03", "2020-01-02", "2020-01-03", "2020-01-06"], "datetime64[D]")
    means = by_date(np.array([1.0, 5.0, 3.0, 100.0]), dates, np.array([True, True, True, False]))
    assert means.tolist() == [5.0, 2.0]
    assert by_date(np.ones(4), dates, np.zeros(4, bool)).tolist() == []
