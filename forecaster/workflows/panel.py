"""The store's candles as a panel, for people who want the tensor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecaster.data.dates import DateLike, to_day
from forecaster.data.panel import Panel, read_panel
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all


def load_panel(
    tickers: str | Sequence[str] = (),
    *,
    data_dir: Path | str = "data/store",
    start: DateLike | None = None,
    end: DateLike | None = None,
) -> Panel:
    """Read tickers (all that the store holds if none is named) as one panel.

    `panel.ohlc` is the [N, T, 4] tensor of adjusted open, high, low, close with NaN where a ticker did not trade, and
    `panel.observed` says where it did.

    Raises:
        InputError: the store is empty, or a ticker has no candle between the dates.
        UnknownNameError: the store does not have a ticker.
    """
    store = open_store(data_dir)
    names = normalise_all(tickers) or store.tickers()
    return read_panel(store, names, to_day(start, "start"), to_day(end, "end"))
