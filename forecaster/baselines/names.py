"""Ticker names as an array, for baselines with parameters of each ticker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Int, Shaped


def as_array(tickers: Sequence[str]) -> Shaped[np.ndarray, "ticker byte"]:
    """UTF-8 bytes, one row per ticker, zero-padded."""
    texts = np.array([ticker.encode() for ticker in tickers])
    return texts.view(np.uint8).reshape(len(texts), -1)


def places(tickers: Sequence[str], names: Shaped[np.ndarray, "known byte"]) -> Int[np.ndarray, " ticker"]:
    """Index of each ticker in the names; −1 if absent."""
    known = {name.tobytes().rstrip(b"\0").decode(): place for place, name in enumerate(names)}
    return np.array([known.get(ticker, -1) for ticker in tickers])
