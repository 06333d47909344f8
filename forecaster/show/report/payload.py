"""The explorer's numbers as the page's script reads them: 16-bit integers, as base64 in JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.evaluation.explorer import TickerView

_LARGEST = 32_767


def payload(views: Sequence[TickerView], steps: Sequence[int], has_bands: bool) -> dict[str, Any]:
    """What the script reads; each ticker's log prices have their own unit, so that 16 bits suffice."""
    return {"steps": list(steps), "bands": has_bands, "tickers": [_ticker(view) for view in views]}


def as_script(data: Any) -> str:
    """JSON for a script element: no character of it can end the element or begin a comment."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _ticker(view: TickerView) -> dict[str, Any]:
    base = float(view.candles[-1, 3])
    logs, unit = _whole(np.log(view.candles / base))
    values, step = _whole(view.forecasts)
    return {
        "name": view.ticker,
        "currency": view.currency,
        "base": base,
        "first": str(view.sessions[0]),
        "days": _text((view.sessions - view.sessions[0]).astype(np.int64)),
        "unit": unit,
        "candles": _text(logs),
        "origins": _text(view.origins),
        "step": step,
        "values": _text(values),
    }


def _whole(values: Float[np.ndarray, "*any"]) -> tuple[np.ndarray, float]:
    """Values in units of max|value| / 32,767, and that unit."""
    # If all are 0, any unit will do.
    unit = float(np.abs(values).max()) / _LARGEST or 1.0
    return np.rint(values / unit), unit


def _text(numbers: np.ndarray) -> str:
    # Little-endian, as typed arrays are in a browser on every common machine.
    return base64.b64encode(numbers.astype("<i2").tobytes()).decode("ascii")
