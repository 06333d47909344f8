"""The tensor, one stock's candles, and what yesterday says about today."""

from __future__ import annotations

from typing import Any

import numpy as np

import forecaster
from forecaster.data.panel import Panel

SHOWN, LAGS, LONG = 30, 60, 1000
EXAMPLE = "IBM"


def tensor(panel: Panel, data_dir: str) -> dict[str, Any]:
    """Sizes of the [N, T, 4] tensor, the ticker that was listed last, and one candle in numbers."""
    latest = int(np.argmax(panel.sessions[panel.offsets[:-1]]))
    return {
        "tickers": ", ".join(panel.tickers),
        "shape": list(panel.ohlc.shape),
        "first": str(panel.dates[0]),
        "last": str(panel.dates[-1]),
        "observed": float(panel.observed.mean()),
        "late": {"ticker": panel.tickers[latest], "first": str(panel.sessions[panel.offsets[latest]])},
    } | _example(panel, data_dir)


def _example(panel: Panel, data_dir: str) -> dict[str, Any]:
    """The last candles of one stock in quoted prices, as every picture has them; `factor` leads to the tensor's."""
    candles = forecaster.candles_frame(EXAMPLE, data_dir=data_dir)
    last = dict(zip(("open", "high", "low", "close"), map(float, candles.iloc[-1, :4]), strict=True))
    return {
        "example": {"ticker": EXAMPLE, "date": str(candles.index[-1].date())} | last,
        "factor": float(panel.prices[panel.rows(EXAMPLE)][-1, 3] / last["close"]),
        "shown": candles.iloc[-SHOWN:, :4].to_numpy().tolist(),
        "shown_dates": [str(day.date()) for day in candles.index[-SHOWN:]],
    }


def waves(panel: Panel) -> dict[str, Any]:
    """Autocorrelation of the daily return and of the daily range, log(high / low), mean over the long histories."""
    logs = [np.log(panel.prices[panel.rows_of(n)]) for n in range(len(panel)) if panel.lengths[n] >= LONG]
    returns = np.mean([_autocorrelation(np.diff(own[:, 3])) for own in logs], axis=0)
    ranges = np.mean([_autocorrelation(own[:, 1] - own[:, 2]) for own in logs], axis=0)
    return {"tickers": len(logs), "lags": LAGS, "returns": returns.tolist(), "ranges": ranges.tolist()}


def _autocorrelation(values: np.ndarray) -> list[float]:
    """At lags 1 … LAGS."""
    return [float(np.corrcoef(values[lag:], values[:-lag])[0, 1]) for lag in range(1, LAGS + 1)]
