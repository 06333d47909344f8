"""The tensor, and what of yesterday is still in today."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecaster.data.panel import Panel

SHOWN, LAGS, LONG = 30, 60, 1000
EXAMPLE = "IBM"


def tensor(panel: Panel) -> dict[str, Any]:
    """Sizes of the [N, T, 4] tensor, the ticker that came last, and one candle of it in words."""
    rows = panel.rows(EXAMPLE)
    latest = int(np.argmax(panel.sessions[panel.offsets[:-1]]))
    return {
        "tickers": ", ".join(panel.tickers),
        "shape": list(panel.ohlc.shape),
        "first": str(panel.dates[0]),
        "last": str(panel.dates[-1]),
        "observed": float(panel.observed.mean()),
        "late": {"ticker": panel.tickers[latest], "first": str(panel.sessions[panel.offsets[latest]])},
        "example": {"ticker": EXAMPLE, "date": str(panel.sessions[rows][-1])}
        | dict(zip(("open", "high", "low", "close"), map(float, panel.prices[rows][-1]), strict=True)),
        "shown": panel.prices[rows][-SHOWN:].tolist(),
    }


def waves(panel: Panel) -> dict[str, Any]:
    """Autocorrelation of the daily return and of the log range (high over low), mean over the long histories."""
    logs = [np.log(panel.prices[panel.rows_of(n)]) for n in range(len(panel)) if panel.lengths[n] >= LONG]
    returns = np.mean([_autocorrelation(np.diff(own[:, 3])) for own in logs], axis=0)
    ranges = np.mean([_autocorrelation(np.log(np.maximum(own[:, 1] - own[:, 2], 1e-3))) for own in logs], axis=0)
    return {"tickers": len(logs), "lags": LAGS, "returns": returns.tolist(), "ranges": ranges.tolist()}


def _autocorrelation(values: np.ndarray) -> list[float]:
    """At lags 1 … LAGS."""
    return [float(np.corrcoef(values[lag:], values[:-lag])[0, 1]) for lag in range(1, LAGS + 1)]
