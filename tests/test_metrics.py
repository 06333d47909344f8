"""Losses with known values."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.evaluation.metrics import absolute_error, inside, pinball

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
