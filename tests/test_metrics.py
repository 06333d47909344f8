"""Losses with known values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from forecaster.evaluation.metrics import absolute_error, direction, inside, pinball, pinball_and_crps

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def test_pinball_at_the_median_alone_is_the_absolute_error() -> None:
    outcomes = np.random.default_rng(0).normal(size=(20, 2, 4))
    quantiles = np.random.default_rng(1).normal(size=(20, 2, 4, 1))
    np.testing.assert_allclose(pinball(quantiles, outcomes, (0.5,)), np.abs(outcomes - quantiles[..., 0]))
    np.testing.assert_allclose(absolute_error(quantiles, outcomes, (0.5,)), np.abs(outcomes - quantiles[..., 0]))


def test_pinball_is_twice_the_mean_over_levels() -> None:
    outcomes, quantiles = np.full((1, 1, 4), 2.0), np.zeros((1, 1, 4, 7))
    np.testing.assert_allclose(pinball(quantiles, outcomes, LEVELS), 2 * np.mean([2 * level for level in LEVELS]))
    np.testing.assert_allclose(
        pinball(quantiles, -outcomes, LEVELS), 2 * np.mean([2 * (1 - level) for level in LEVELS])
    )


def test_absolute_error_is_taken_at_the_median() -> None:
    quantiles = np.broadcast_to(np.arange(7.0), (1, 1, 4, 7))
    assert np.all(absolute_error(quantiles, np.full((1, 1, 4), 5.0), LEVELS) == 2)


@pytest.mark.parametrize(("share", "low", "high"), [(0.5, 2, 4), (0.8, 1, 5), (0.9, 0, 6)])
def test_a_band_holds_its_borders_and_nothing_beyond(share: float, low: int, high: int) -> None:
    quantiles = np.broadcast_to(np.arange(7.0), (9, 1, 4, 7))
    outcomes = np.broadcast_to((np.arange(9.0) - 1)[:, None, None], (9, 1, 4))
    hits = inside(quantiles, outcomes, LEVELS, share)
    assert hits is not None
    assert np.array_equal(hits[:, 0, 0], (outcomes[:, 0, 0] >= low) & (outcomes[:, 0, 0] <= high))


def test_a_forecast_without_the_band_has_no_coverage() -> None:
    assert inside(np.zeros((1, 1, 4, 1)), np.zeros((1, 1, 4)), (0.5,), 0.5) is None
    assert inside(np.zeros((1, 1, 4, 7)), np.zeros((1, 1, 4)), LEVELS, 0.6) is None
    for one_side in ((0.25, 0.5), (0.5, 0.75)):
        assert inside(np.zeros((1, 1, 4, 2)), np.zeros((1, 1, 4)), one_side, 0.5) is None


def test_crps_is_the_integral_of_the_pinball_loss_over_all_levels() -> None:
    levels = tuple(np.linspace(0.005, 0.995, 100).round(3).tolist())
    outcome = np.array([[[0.7]]])
    normal = np.array([norm.ppf(levels)])[None, None]
    expected = 0.7 * (2 * norm.cdf(0.7) - 1) + 2 * norm.pdf(0.7) - 1 / np.sqrt(np.pi)  # Gneiting & Raftery (2007)
    assert pinball_and_crps(normal, outcome, levels)[1] == pytest.approx(expected, rel=0.01)


def test_crps_of_one_level_is_the_absolute_error() -> None:
    assert pinball_and_crps(np.array([[[[0.2]]]]), np.array([[[-0.1]]]), (0.5,))[1] == pytest.approx(0.3)


def test_direction_has_no_side_where_nothing_moves() -> None:
    median = np.array([0.1, 0.1, -0.1, 0.0, 0.1])[:, None, None, None]
    outcome = np.array([0.2, -0.2, -0.3, 0.1, 0.0])[:, None, None]
    assert np.array_equal(direction(median, outcome, (0.5,)).ravel(), [1, 0, 1, np.nan, np.nan], equal_nan=True)
