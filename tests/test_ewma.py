"""The exponentially weighted mean against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.features.ewma import ewma


def slow_mean(values: np.ndarray, half_life: float, first: int) -> np.ndarray:
    """Σ λ^age · x / Σ λ^age over all values so far, one row and one ticker at a time."""
    means = np.full(len(values), np.nan)
    for time in range(first, len(values)):
        weights = [0.5 ** ((time - row) / half_life) for row in range(first, time + 1)]
        means[time] = sum(w * x for w, x in zip(weights, values[first : time + 1], strict=True)) / sum(weights)
    return means


@pytest.mark.parametrize("first", [0, 1, 4])
def test_ewma_is_the_weighted_mean_of_all_values_so_far(first: int) -> None:
    values = np.random.default_rng(0).normal(size=(80, 3))
    means = ewma(values, (3.0, 11.0, 252.0), first)
    for ticker in range(3):
        for place, half_life in enumerate((3.0, 11.0, 252.0)):
            np.testing.assert_allclose(
                means[:, ticker, place],
                slow_mean(values[:, ticker], half_life, first),
                rtol=1e-12,
                atol=1e-12,
            )


def test_the_first_value_is_its_own_mean_and_nothing_precedes_it() -> None:
    means = ewma(np.array([[5.0], [7.0], [9.0]]), (2.0,), first=1)
    assert np.isnan(means[0, 0, 0])
    assert means[1, 0, 0] == pytest.approx(7.0, rel=1e-15)


def test_a_value_weighs_half_after_one_half_life() -> None:
    values = np.zeros((12, 1))
    values[0] = 1.0
    means = ewma(values, (11.0,))
    weights = 0.5 ** (np.arange(12) / 11)
    assert means[11, 0, 0] == pytest.approx(0.5 / weights.sum(), rel=1e-12)


def test_later_values_do_not_reach_earlier_means_by_a_single_bit() -> None:
    values = np.random.default_rng(1).normal(size=(100, 5))
    changed = values.copy()
    changed[60:] = 1e9
    whole = ewma(values, (3.0, 66.0))
    assert np.array_equal(whole[:60], ewma(changed, (3.0, 66.0))[:60])
    assert np.array_equal(whole[:60], ewma(values[:60], (3.0, 66.0)))
