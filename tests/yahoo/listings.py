"""Listings for the server of the tests: the sample's real prices, and synthetic ones."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow.parquet as pq

from forecaster.places import shipped
from tests.yahoo.server import Listing


@functools.cache
def sample() -> dict[str, Listing]:
    """The five tickers of the sample as Yahoo would list them."""
    table = pq.read_table(shipped("sample") / "wiki-prices.parquet")
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return {str(ticker): _sample(str(ticker), columns) for ticker in sorted(set(columns["ticker"]))}


def synthetic(symbol: str, years: int = 20, last: str = "2013-03-01", **facts: object) -> Listing:
    """A random walk on the weekdays of so many years; the symbol is its seed."""
    count = 252 * years
    dates = np.busday_offset(last, np.arange(1 - count, 1), roll="backward").astype("datetime64[D]")
    draw = np.random.default_rng(sum(symbol.encode()))
    close = 50 * np.exp(np.cumsum(draw.normal(0, 0.015, count)))
    open = close * np.exp(draw.normal(0, 0.005, count))
    high = np.maximum(open, close) * (1 + abs(draw.normal(0, 0.004, count)))
    low = np.minimum(open, close) * (1 - abs(draw.normal(0, 0.004, count)))
    volume = draw.integers(1_000, 1_000_000, count).astype(float)
    return Listing(symbol, dates, open, high, low, close, close.copy(), volume, **facts)  # type: ignore[arg-type]


def _sample(ticker: str, columns: dict[str, np.ndarray]) -> Listing:
    rows = columns["ticker"] == ticker
    values = {
        name: columns[name][rows].astype(float) for name in ("open", "high", "low", "close", "adj_close", "volume")
    }
    return Listing(ticker, columns["date"][rows].astype("datetime64[D]"), **values)
