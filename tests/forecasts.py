"""Forecasts for tests of what is shown: real shapes, any steps, any ticker."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np

from forecaster.data.calendars import next_sessions
from forecaster.inference.forecast import Forecast, History
from tests.studio import assert_coherent, bars

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def made(
    ticker: str = "AAA",
    steps: tuple[int, ...] = (1, 2, 3, 4, 5),
    *,
    rows: int = 200,
    levels: tuple[float, ...] = LEVELS,
    currency: str = "USD",
    scale: float = 1.0,
    warnings: tuple[str, ...] = (),
) -> Forecast:
    """A random walk from the last candle of `studio.bars`, whose spread grows with the root of the step."""
    known = bars("AAA", rows)
    last = float(known.close[-1]) * scale
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    moves = 0.015 * np.sqrt(np.array(steps, float))[:, None, None] * normal
    shifts = np.array([0.0, 0.008, -0.008, 0.0])[:, None]
    prices = last * np.exp(moves * np.ones((4, 1)) + shifts)
    assert_coherent(prices)
    history = History.of(known)
    sessions = next_sessions("XNYS", known.dates[-1], steps[-1])
    return Forecast(
        ticker=ticker,
        run="first",
        origin=known.dates[-1],
        last_close=last,
        currency=currency,
        steps=steps,
        dates=sessions[np.array(steps) - 1],
        levels=levels,
        prices=prices,
        history=History(history.dates, history.ohlc * scale),
        skill={
            "verdict": "No evidence of skill.",
            "baseline": "ewma-random-walk",
            "pinball_skill": 0.0,
            "p_value": 1.0,
        },
        warnings=warnings,
        weights="evaluated",
        fitted_to=str(known.dates[-30]),
        range=np.full(len(steps), 0.0193),
        volatility=np.full(len(steps), 0.241 if len(levels) > 1 else np.nan),
    )


def with_paths(forecast: Forecast, count: int = 60) -> Forecast:
    """The forecast with candle paths that wander about its median, over its contiguous steps."""
    steps = [step for place, step in enumerate(forecast.steps, 1) if step == place]
    wander = np.random.default_rng(0).normal(0, 0.015, (count, len(steps), 1)).cumsum(axis=1)
    return replace(forecast, paths=forecast.point[: len(steps)] * np.exp(wander))
