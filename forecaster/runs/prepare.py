"""What a config names, made ready: its candles, their features, its split, and what is to be known of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from forecaster.config.schema import Config, DataConfig
from forecaster.data.interval import not_daily
from forecaster.data.panel import Panel, read_panel
from forecaster.data.splits import Split, make_split
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, InputError, at_most_five
from forecaster.events import Say
from forecaster.features.candles import READY_AGE
from forecaster.memory import release_memory
from forecaster.trial import Trial

_PANEL = 10
"""Tickers from files of one's own that make a panel, in which survivors may have been chosen."""

_COIN = re.compile(r"[A-Z0-9]+-(USD|USDT|EUR|GBP|JPY|BTC)")


def prepare(config: Config, data_dir: Path, say: Say = lambda _: None) -> Trial:
    """Candles, features and split of a config, known to hold enough for every period.

    Args:
        say: also told which tickers of `all` are left out, and why.

    Raises:
        UnknownNameError, InputError, DataError: as `train`.
    """
    say("reading candles")
    panel = select_panel(config.data, data_dir, say)
    release_memory()
    split = make_split(config.data.split, panel.dates[0], _newest(panel))
    if config.data.tickers == "all":
        panel = _reaching(panel, split, say)
        split = make_split(config.data.split, panel.dates[0], _newest(panel))  # which begins later now, perhaps
    say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers")
    trial = Trial.of(config, panel, split)
    release_memory()
    periods = (split.fitted, split.test) if config.training.refit else (split.train, split.validation, split.test)
    for period in periods:  # said now, not after hours of training
        trial.origins(period)
    return trial


def _newest(panel: Panel) -> np.datetime64:
    """The last date of the tickers that something can be learnt from: a stray row must not move the split."""
    last = panel.sessions[panel.offsets[1:] - 1]
    deep = panel.lengths > READY_AGE
    newest: np.datetime64 = (last[deep] if deep.any() else last).max()
    return newest


def select_panel(config: DataConfig, data_dir: Path, say: Say = lambda _: None) -> Panel:
    """The candles that a config names, from the store.

    Of `all` tickers, those that have no candle between the dates, or none that are daily, are left out.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: no ticker is left, or one that is named has no candle between the dates.
        DataError: the candles of one that is named are not daily.
    """
    store = open_store(data_dir)
    excluded = normalise_all(config.exclude)
    wanted = store.tickers() if config.tickers == "all" else normalise_all(config.tickers)
    tickers = [ticker for ticker in wanted if ticker not in excluded]
    if not tickers:
        raise InputError("data.exclude leaves no ticker: shorten it.")
    start, end = (None if date is None else np.datetime64(date, "D") for date in (config.start, config.end))
    if config.tickers == "all":
        tickers = _overlapping(store, tickers, start, end, say)
    panel = read_panel(store, tickers, start, end)
    coarse = [n for n in range(len(panel)) if not_daily(panel.sessions[panel.rows_of(n)])]
    if coarse and config.tickers != "all":
        names = at_most_five(panel.tickers[n] for n in coarse)
        raise DataError(f"{names}: candles that are not daily: forecast data verify says more; leave the ticker out.")
    return _without(panel, coarse, "have candles that are not daily", say)


def _overlapping(
    store: Store, tickers: Sequence[str], start: np.datetime64 | None, end: np.datetime64 | None, say: Say
) -> list[str]:
    """Those whose history, by their file's header, begins before the end and ends after the start."""

    def outside(ticker: str) -> bool:
        record = store.record(ticker)
        return bool((end is not None and record.first > end) or (start is not None and record.last < start))

    left_out = [ticker for ticker in tickers if outside(ticker)]
    if len(left_out) == len(tickers):
        raise InputError(f"no ticker has candles from {start or 'the start'} to {end or 'the end'}: move the dates.")
    _tell(left_out, len(tickers), f"have no candle from {start or 'the start'} to {end or 'the end'}", say)
    return [ticker for ticker in tickers if ticker not in left_out]


def _reaching(panel: Panel, split: Split, say: Say) -> Panel:
    """The tickers that reach into validation or test: of the others nothing could be validated or tested."""
    last = panel.sessions[panel.offsets[1:] - 1]
    ended = np.flatnonzero(last <= split.train_end).tolist()
    return _without(panel, ended, f"end before validation begins (after {split.train_end})", say)


def _without(panel: Panel, places: Sequence[int], why: str, say: Say) -> Panel:
    """A panel without some tickers, and a sentence on them."""
    if not places:
        return panel
    _tell([panel.tickers[n] for n in places], len(panel), why, say)
    if len(places) == len(panel):
        raise InputError(f"all tickers {why}: choose other dates, or fetch other candles.")
    return panel.select(~np.isin(panel.ticker_of_row, places))


def _tell(left_out: Sequence[str], total: int, why: str, say: Say) -> None:
    if left_out:
        say(f"note: {len(left_out)} of {total} tickers {why} and are left out: {at_most_five(left_out)}")


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
