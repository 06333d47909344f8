"""A forecast's numbers as the page's script reads them: all candles of the past, the bands, and their words."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from forecaster.show.chartframe import AHEAD
from forecaster.show.fan import Band, Fan
from forecaster.show.report.payload import as_script
from forecaster.show.words import decimals


def page_data(fans: Sequence[Fan]) -> str:
    """JSON for a script element; candles are float32 (seven digits), days count from the first one, both as base64."""
    return as_script({"ahead": AHEAD, "tickers": [_ticker(fan) for fan in fans]})


def _ticker(fan: Fan) -> dict[str, Any]:
    one = fan.forecast
    past = one.history.whole()
    days = (past.dates - past.dates[0]).astype("timedelta64[D]").astype("<i4")
    return {
        "name": one.ticker,
        "currency": one.currency,
        "digits": decimals(one.last_close),
        "first": str(past.dates[0]),
        "days": _text(days),
        "candles": _text(past.ohlc.astype("<f4")),
        "steps": list(one.steps),
        "dates": [str(date) for date in one.dates],
        "point": one.point.tolist(),
        "median": fan.median,
        "bands": [_band(band) for band in fan.bands],
        "main": fan.bands.index(fan.main) if fan.main else None,
        "reach": _band(fan.reach) if fan.reach else None,
        "paths": fan.paths,
    }


def _band(band: Band) -> dict[str, Any]:
    """Its share in percent, and prices from the last close on."""
    return {"share": f"{100 * band.share:g}", "lower": band.lower, "upper": band.upper}


def _text(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.tobytes()).decode("ascii")
