"""Diebold–Mariano on cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from forecaster.evaluation.significance import (
    by_date,
    dates_needed,
    degrees_of_freedom,
    diebold_mariano,
    fewest_dates,
    standard_error,
)


def slow_statistic(differences: np.ndarray, terms: int) -> float:
    """Mean over its error, the variance summed term by term (Lazarus et al. 2018, equation 12)."""
    count = len(differences)
    squares = 0.0
    for term in range(1, terms + 1):
        total = sum(
            value * math.cos(math.pi * term * (date + 0.5) / count) for date, value in enumerate(differences.tolist())
        )
        squares += 2 / count * total**2 / terms
    return float(differences.mean() / math.sqrt(squares / count))


@pytest.mark.parametrize(("dates", "steps", "terms"), [(251, 1, 15), (251, 20, 5), (501, 5, 25), (60, 20, 1)])
def test_the_variance_is_the_mean_of_squared_cosine_coefficients(dates: int, steps: int, terms: int) -> None:
    noise = np.random.default_rng(0).normal(size=dates + 4)
    differences = 0.05 + np.convolve(noise, np.ones(5) / 5, "valid")
    assert degrees_of_freedom(dates, steps) == terms
    assert diebold_mariano(differences, steps).statistic == pytest.approx(slow_statistic(differences, terms), rel=1e-9)


def test_a_shift_of_all_differences_leaves_the_standard_error_as_it_is() -> None:
    differences = np.random.default_rng(6).normal(size=200)
    assert standard_error(differences + 3, 1)[0] == pytest.approx(standard_error(differences, 1)[0], rel=1e-9)


@pytest.mark.parametrize(("dates", "steps"), [(251, 1), (251, 5), (251, 20), (501, 20), (1081, 20)])
def test_a_true_null_is_rejected_in_about_five_of_a_hundred_trials_however_much_forecasts_overlap(
    dates: int, steps: int
) -> None:
    """Standard error of a share near 5 %: 0.3 points; `benchmarks/significance` has the whole table."""
    shocks = np.random.default_rng(0).normal(size=(6000, dates + steps - 1))
    sums = np.cumsum(np.pad(shocks, ((0, 0), (1, 0))), axis=1)
    series = sums[:, steps:] - sums[:, :-steps]
    size = np.mean([diebold_mariano(one, steps).p_value < 0.05 for one in series])
    assert 0.04 < size < 0.07


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
    assert found.p_value == pytest.approx(2 * t(8).sf(abs(found.statistic)))


def test_the_dates_needed_shrink_with_the_square_of_the_statistic() -> None:
    assert dates_needed(norm.ppf(0.975) + norm.ppf(0.8), 500) in (500, 501)
    assert dates_needed(-1.4, 500) == pytest.approx(4 * 500, rel=0.01)
    assert (dates_needed(-1.4, 500, looks=10) or 0) > 3000
    assert dates_needed(0.0, 500) is None
    assert dates_needed(math.nan, 500) is None


def test_too_few_dates_or_no_difference_is_no_test() -> None:
    few = diebold_mariano(np.random.default_rng(5).normal(size=29), 1)
    same = diebold_mariano(np.zeros(100), 1)
    alike = diebold_mariano(np.full(100, 0.3), 1)
    assert all(math.isnan(value) for one in (few, same, alike) for value in (one.statistic, one.p_value))
    assert not math.isnan(diebold_mariano(np.random.default_rng(5).normal(size=30), 1).p_value)
    assert (degrees_of_freedom(29, 1), standard_error(np.ones(29), 1)[1]) == (0, 0)


def test_a_test_needs_enough_dates_for_the_overlap_of_its_forecasts() -> None:
    series = np.random.default_rng(7).normal(size=50)
    assert fewest_dates(20) == 50
    assert not math.isnan(diebold_mariano(series, 20).p_value)
    assert math.isnan(diebold_mariano(series[1:], 20).p_value)


def test_tickers_of_a_date_are_averaged_first() -> None:
    dates = np.array(["2020-01-03", "2020-01-02", "2020-01-03", "2020-01-06"], "datetime64[D]")
    means = by_date(np.array([1.0, 5.0, 3.0, 100.0]), dates, np.array([True, True, True, False]))
    assert means.tolist() == [5.0, 2.0]
    assert by_date(np.ones(4), dates, np.zeros(4, bool)).tolist() == []
