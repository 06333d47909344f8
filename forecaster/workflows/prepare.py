"""What a config names, made ready: its candles, their features, its split, and what is to be known of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecaster.config.schema import Config, DataConfig
from forecaster.data.panel import Panel, read_panel
from forecaster.data.splits import Split, make_split
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.memory import give_back

_PANEL = 10
"""Tickers from files of one's own that make a panel, in which survivors may have been chosen."""

_COIN = re.compile(r"[A-Z0-9]+-(USD|USDT|EUR|GBP|JPY|BTC)")

Say = Callable[[str], None]
"""Called with what happens now, in words."""


def prepare(config: Config, data_dir: Path, say: Say) -> tuple[Dataset, Split]:
    """Candles and features of a config, and its split, known to hold enough for every period.

    Raises:
        UnknownNameError, InputError, DataError: as `train`.
    """
    say("reading candles")
    panel = select_panel(config.data, data_dir)
    give_back()
    split = make_split(config.data.split, panel.dates[0], _newest(panel))
    say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers")
    dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    give_back()
    periods = (split.fitted, split.test) if config.training.refit else (split.train, split.validation, split.test)
    for period in periods:  # said now, not after hours of training
        dataset.require_origins(period, config.task.context)
    return dataset, split


def _newest(panel: Panel) -> np.datetime64:
    """The last date of the tickers that something can be learnt from: a stray row must not move the split."""
    last = panel.sessions[panel.offsets[1:] - 1]
    deep = panel.lengths > READY_AGE
    newest: np.datetime64 = (last[deep] if deep.any() else last).max()
    return newest


def select_panel(config: DataConfig, data_dir: Path) -> Panel:
    """The candles that a config names, from the store.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: no ticker is left, or one has no candle between the dates.
    """
    store = open_store(data_dir)
    excluded = normalise_all(config.exclude)
    wanted = store.tickers() if config.tickers == "all" else normalise_all(config.tickers)
    tickers = [ticker for ticker in wanted if ticker not in excluded]
    if not tickers:
        raise InputError("data.exclude leaves no ticker: shorten it.")
    start, end = (None if date is None else np.datetime64(date, "D") for date in (config.start, config.end))
    return read_panel(store, tickers, start, end)


def survivorship(data_dir: Path, panel: Panel, split: Split) -> list[str]:
    """A sentence where stocks were chosen with knowledge of the test period: none of them can have failed in it.

    Currencies, coins, futures and indices don't fail like companies, one ticker is no choice among many, and a few
    files of one's own are no list of survivors.
    """
    store = Store(data_dir)
    records = [store.record(ticker) for ticker in panel.tickers if len(panel) > 1 and _is_stock(ticker)]
    late = [one for one in records if np.datetime64(one.since[:10]) > split.validation_end]
    own = [one for one in late if one.source == "file"]
    count = len(late) - (len(own) if len(own) < _PANEL else 0)
    if not count:
        return []
    which = "All" if count == len(panel) else f"{count} of the"
    failed = "companies that failed are missing (survivorship)"
    return [f"{which} {len(panel)} tickers were chosen after the test began: {failed}."]


def _is_stock(ticker: str) -> bool:
    """By Yahoo's way of writing what is none: `^GSPC`, `EURUSD=X`, `CL=F`, `BTC-USD`."""
    return not (ticker.startswith("^") or ticker.endswith(("=X", "=F")) or _COIN.fullmatch(ticker))
