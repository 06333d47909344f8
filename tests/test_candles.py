"""Candle geometry and the volatility scale against the definitions, one ticker and one row at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.features.blocks import by_block, ready
from forecaster.features.candles import Candles
from tests.studio import bars, panel


def slow_variance(logs: np.ndarray) -> list[float]:
    """v = g² + max(.5(H−L)² − (2 ln 2 − 1) b², 0), from the second row on."""
    values = [math.nan]
    for row in range(1, len(logs)):
        open_, high, low, close = logs[row]
        gap, body = open_ - logs[row - 1, 3], close - open_
        values.append(gap**2 + max(0.5 * (high - low) ** 2 - (2 * math.log(2) - 1) * body**2, 0.0))
    return values


def slow_scale(logs: np.ndarray, half_life: float = 11) -> list[float]:
    """s = √max(n/d, 1e-6) with n ← λn + (1−λ)v and d ← λd + (1−λ), both from 0."""
    decay, numerator, weight, scales = 0.5 ** (1 / half_life), 0.0, 0.0, [math.nan]
    for value in slow_variance(logs)[1:]:
        numerator = decay * numerator + (1 - decay) * value
        weight = decay * weight + (1 - decay)
        scales.append(math.sqrt(max(numerator / weight, 1e-6)))
    return scales


def logs_of(one: Bars) -> np.ndarray:
    return np.log(one.ohlc * (one.adj_close / one.close)[:, None])


def test_scale_and_variance_are_as_defined() -> None:
    one = bars(rows=150)
    of = Panel.of([one])
    np.testing.assert_allclose(by_block(of, lambda c: c.variance), slow_variance(logs_of(one)), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(by_block(of, lambda c: c.scale), slow_scale(logs_of(one)), rtol=1e-9)


@pytest.mark.parametrize("half_life", [3, 66, 252])
def test_volatility_of_other_half_lives_is_as_defined(half_life: int) -> None:
    one = bars(rows=150, seed=3)
    found = by_block(Panel.of([one]), lambda c: c.volatility((float(half_life),))[..., 0])
    np.testing.assert_allclose(found, slow_scale(logs_of(one), half_life), rtol=1e-9)


def test_a_ticker_that_does_not_move_has_the_smallest_scale() -> None:
    still = np.full(80, 10.0)
    one = replace(bars(rows=80), open=still, high=still, low=still, close=still, adj_close=still)
    scale = by_block(Panel.of([one]), lambda c: c.scale)
    assert np.all(scale[1:] == 1e-3)


def test_geometry_splits_the_candle_without_rest() -> None:
    one = bars(rows=50)
    logs = logs_of(one)
    parts = by_block(
        Panel.of([one]),
        lambda c: np.stack([c.gap, c.body, c.upper_wick, c.lower_wick, c.returns, c.lag(c.close, 5)], -1),
    )
    gap, body, upper, lower, returns, lagged = parts.T
    np.testing.assert_allclose(gap[1:], logs[1:, 0] - logs[:-1, 3], atol=1e-12)
    np.testing.assert_allclose(gap[1:] + body[1:], returns[1:], atol=1e-12)
    np.testing.assert_allclose(upper + np.abs(body) + lower, logs[:, 1] - logs[:, 2], atol=1e-12)
    assert np.isnan(gap[0])
    assert np.isnan(lagged[:5]).all()
    np.testing.assert_array_equal(lagged[5:], logs[:-5, 3])


def test_a_dividend_is_no_gap() -> None:
    one = bars(rows=60)
    factor = np.where(np.arange(60) < 30, 0.9, 1.0)
    raw = {name: getattr(one, name) / factor for name in ("open", "high", "low", "close")}
    same = replace(one, **raw, adj_close=one.close)
    plain = replace(one, adj_close=one.close)
    gaps = [by_block(Panel.of([which]), lambda c: c.gap) for which in (same, plain)]
    np.testing.assert_allclose(*gaps, atol=1e-12)


def test_a_block_of_tickers_gives_what_each_gives_alone_to_the_bit() -> None:
    of = panel(*range(100, 170))  # more tickers than a block holds, all of different length

    def everything(candles: Candles) -> np.ndarray:
        return np.concatenate([candles.volatility((3.0, 11.0)), candles.logs, candles.variance[..., None]], axis=-1)

    together = by_block(of, everything)
    for number, ticker in enumerate(of.tickers):
        start = str(np.datetime64("2010-01-04") + 21 * number)
        alone = by_block(Panel.of([bars(ticker, 100 + number, number, start)]), everything)
        assert np.array_equal(together[of.rows(ticker)], alone, equal_nan=True), ticker


def test_a_ticker_is_ready_with_sixty_sessions_behind_it() -> None:
    of = panel(100, 40, 61)
    expected = np.concatenate([np.arange(length) >= 60 for length in (100, 40, 61)])
    assert np.array_equal(ready(of), expected)
    assert ready(of)[of.rows("T2")].sum() == 1


def test_rows_past_a_tickers_end_are_missing() -> None:
    def past_the_end(candles: Candles) -> np.ndarray:
        short = np.isnat(candles.sessions)
        assert np.array_equal(short, np.isnan(candles.volume))
        assert np.array_equal(short, np.isnan(candles.close))
        return np.broadcast_to(short.sum(axis=0), short.shape)

    counts = by_block(panel(90, 70), past_the_end)
    assert set(counts[:90]) == {0}
    assert set(counts[90:]) == {20}
