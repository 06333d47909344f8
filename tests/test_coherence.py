"""Whatever four forecasts say, the candle they make is one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from forecaster.data.coherence import coherent
from tests.studio import assert_coherent

LEVELS = 7


def candles(largest: float) -> st.SearchStrategy[np.ndarray]:
    shapes = array_shapes(min_dims=0, max_dims=2, max_side=3).map(lambda shape: (*shape, 4, LEVELS))
    values = st.floats(-largest, largest, allow_subnormal=True)
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=values))


@given(candles(1e6))
def test_every_candle_becomes_coherent_and_stays_as_it_is(forecast: np.ndarray) -> None:
    once = coherent(forecast)
    assert_coherent(once)
    assert np.array_equal(coherent(once), once)


@given(candles(5.0), st.floats(1e-6, 1e6))
def test_prices_are_coherent_too(forecast: np.ndarray, price: float) -> None:
    assert_coherent(price * np.exp(coherent(forecast)))


@given(candles(1.0))
def test_open_and_close_keep_their_quantiles_and_high_and_low_only_widen(forecast: np.ndarray) -> None:
    made, sorted_ = coherent(forecast), np.sort(forecast, axis=-1)
    assert np.array_equal(made[..., [0, 3], :], sorted_[..., [0, 3], :])
    assert np.all(made[..., 1, :] >= sorted_[..., 1, :])
    assert np.all(made[..., 2, :] <= sorted_[..., 2, :])


def test_a_coherent_candle_is_left_alone_and_the_argument_always() -> None:
    forecast = np.array([[0.0], [1.0], [-1.0], [0.5]])
    assert np.array_equal(coherent(forecast), forecast)
    crossed = np.array([[0.0, -1.0], [-5.0, 1.0], [5.0, 1.0], [0.5, 0.0]])
    kept = crossed.copy()
    assert np.array_equal(coherent(crossed), [[-1, 0], [0, 1], [-1, 0], [0, 0.5]])
    assert np.array_equal(crossed, kept)
