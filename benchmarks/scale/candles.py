"""Synthetic candles with volatility that clusters, as a folder of Parquet files, one a ticker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LAST = np.datetime64("2024-12-31")
WITHIN = 16
"""Moves inside a session, of which its high and low are the extremes."""


def write_candles(folder: Path, tickers: int, years: int) -> int:
    """Write files in the form of Yahoo's; returns how many candles. The same ticker is the same at any size."""
    from forecaster.data.calendars import sessions as known_sessions

    sessions = known_sessions("XNYS", LAST - np.timedelta64(int(365.25 * years), "D"), LAST)
    folder.mkdir(parents=True, exist_ok=True)
    market = _volatility(np.random.default_rng(0), len(sessions))
    for number in range(tickers):
        columns = _candles(np.random.default_rng(number + 1), market, sessions)
        with (folder / f"S{number:05}.parquet").open("wb") as file:
            pq.write_table(pa.table(columns), file)
    return tickers * len(sessions)


def _candles(rng: np.random.Generator, market: np.ndarray, sessions: np.ndarray) -> dict[str, np.ndarray]:
    """Gaps and moves within the session, Student's t with five degrees of freedom, times that day's volatility."""
    volatility = 0.016 * np.exp(0.3 * rng.standard_normal()) * market * _volatility(rng, len(sessions))
    tails = np.sqrt(5 / rng.chisquare(5, len(sessions)))
    gaps = 0.4 * volatility * tails * rng.standard_normal(len(sessions))
    moves = (volatility * tails / np.sqrt(WITHIN))[:, None] * rng.standard_normal((len(sessions), WITHIN))
    within = np.cumsum(moves, axis=1)
    returns = gaps + within[:, -1]
    # Pulled back to its start over the years, so that no price leaves the range of real ones.
    returns -= returns.mean()
    close = np.log(50.0) + np.cumsum(returns)
    start = close - within[:, -1]
    high, low = (start + bound for bound in (np.maximum(within.max(1), 0), np.minimum(within.min(1), 0)))
    prices = {
        name: np.exp(log) for name, log in zip(("Open", "High", "Low", "Close"), (start, high, low, close), strict=True)
    }
    volume = np.round(1e6 * np.exp(0.4 * rng.standard_normal(len(sessions))) * np.sqrt(volatility / 0.016))
    return {"Date": sessions, **prices, "Adj Close": prices["Close"], "Volume": volume}


def _volatility(rng: np.random.Generator, length: int) -> np.ndarray:
    """exp of an autoregression with a half-life of 34 sessions and a standard deviation of 0.35; its mean is near 1."""
    shocks = rng.standard_normal(length) * 0.35 * np.sqrt(1 - 0.98**2)
    logs = np.empty(length)
    state = 0.35 * rng.standard_normal()
    for place, shock in enumerate(shocks.tolist()):
        state = 0.98 * state + shock
        logs[place] = state
    return np.exp(logs)
