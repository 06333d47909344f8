"""Prepares a trial from a config: candles, features, split, and notes about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forecaster.baselines import require_libraries
from forecaster.config.schema import Config, DataConfig
from forecaster.data.bars import Bars
from forecaster.data.interval import not_daily
from forecaster.data.panel import Panel, read_panel
from forecaster.data.splits import Split, make_split
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, InputError, at_most_five
from forecaster.events import Say
from forecaster.features.blocks import ready
from forecaster.features.candles import READY_AGE
from forecaster.features.compute import Features
from forecaster.features.dataset import Dataset
from forecaster.memory import release_memory
from forecaster.runs.covariates import check_span, read_covariates
from forecaster.trial import Trial

_PANEL = 10
"""From this many tickers on, the user's own files may be a selection of survivors."""

_COIN = re.compile(r"[A-Z0-9]+-(USD|USDT|EUR|GBP|JPY|BTC)")


def prepare(config: Config, data_dir: Path, say: Say = lambda _: None) -> Trial:
    """Loads candles, computes features and splits them; checks that every period has origins.

    Args:
        say: also receives which tickers of `all` are left out, and why.

    Raises:
        UnknownNameError, InputError, DataError: as in `train`.
    """
    panel, split = _choose(config, data_dir, say)
    say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers")
    trial = Trial.of(config, panel, split)
    release_memory()
    periods = (split.fitted, split.test) if config.training.refit else (split.train, split.validation, split.test)
    for period in periods:  # fail now, not after hours of training
        trial.origins(period)
    return trial


def prepare_sealed(config: Config, data_dir: Path, say: Say = lambda _: None) -> tuple[Panel, Split]:
    """The candles of training and validation alone, for a search that must not see the test, and the split.

    Checks that the test has origins, so that what the search finds can be trained.

    Raises:
        UnknownNameError, InputError, DataError: as in `train`.
    """
    panel, split = _choose(config, data_dir, say)
    none = Features((), np.empty((len(panel.sessions), 0), np.float32), np.ones(len(panel.sessions)), ready(panel))
    Dataset(panel, none, config.task.steps).require_origins(split.test, config.task.context)
    return panel.until(split.validation_end), split


def _choose(config: Config, data_dir: Path, say: Say) -> tuple[Panel, Split]:
    """The candles that a config names, and where its periods end."""
    require_libraries((*(network.name for network in config.networks), *config.evaluation.baselines))
    say("reading candles")
    panel = select_panel(config.data, data_dir, say)
    covariates = _covariates(config, data_dir)
    release_memory()
    split = make_split(config.data.split, panel.dates[0], _newest(panel))
    if config.data.tickers == "all":
        panel = _beyond_training(panel, split, say)
        split = make_split(config.data.split, panel.dates[0], _newest(panel))  # the first date may be later now
    check_span(covariates, panel, split, say)
    return replace(panel, covariates=covariates), split


def _covariates(config: Config, data_dir: Path) -> tuple[Bars, ...]:
    start, end = _span(config.data)
    return read_covariates(open_store(data_dir), config.covariates, start, end)


def _span(config: DataConfig) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    start, end = (None if date is None else np.datetime64(date, "D") for date in (config.start, config.end))
    return start, end


def _newest(panel: Panel) -> np.datetime64:
    """The last date of the tickers that are long enough to be used: a stray row must not move the split."""
    last = panel.sessions[panel.offsets[1:] - 1]
    deep = panel.lengths > READY_AGE
    newest: np.datetime64 = (last[deep] if deep.any() else last).max()
    return newest


def select_panel(config: DataConfig, data_dir: Path, say: Say = lambda _: None) -> Panel:
    """Reads the candles that a config names from the store.

    With `all` tickers, those without candles between the dates, and those that are not daily, are left out.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: no ticker is left, or a named one has no candle between the dates.
        DataError: the candles of a named one are not daily.
    """
    store = open_store(data_dir)
    excluded = normalise_all(config.exclude)
    wanted = store.tickers() if config.tickers == "all" else normalise_all(config.tickers)
    tickers = [ticker for ticker in wanted if ticker not in excluded]
    if not tickers:
        raise InputError("data.exclude leaves no ticker: shorten it.")
    start, end = _span(config)
    if config.tickers == "all":
        tickers = _in_range(store, tickers, start, end, say)
    panel = read_panel(store, tickers, start, end)
    coarse = [n for n in range(len(panel)) if not_daily(panel.sessions[panel.rows_of(n)])]
    if coarse and config.tickers != "all":
        names = at_most_five(panel.tickers[n] for n in coarse)
        raise DataError(f"{names}: candles that are not daily: see forecast data verify, or leave the ticker out.")
    return _without(panel, coarse, "have candles that are not daily", say)


def _in_range(
    store: Store, tickers: Sequence[str], start: np.datetime64 | None, end: np.datetime64 | None, say: Say
) -> list[str]:
    """The tickers whose history, by their file's header, overlaps the dates."""

    def outside(ticker: str) -> bool:
        record = store.record(ticker)
        return bool((end is not None and record.first > end) or (start is not None and record.last < start))

    left_out = [ticker for ticker in tickers if outside(ticker)]
    if len(left_out) == len(tickers):
        raise InputError(
            f"no ticker has candles from {start or 'the start'} to {end or 'the end'}: choose other dates."
        )
    _note(left_out, len(tickers), f"have no candle from {start or 'the start'} to {end or 'the end'}", say)
    return [ticker for ticker in tickers if ticker not in left_out]


def _beyond_training(panel: Panel, split: Split, say: Say) -> Panel:
    """The tickers that reach into validation or test; the others cannot be validated or tested."""
    last = panel.sessions[panel.offsets[1:] - 1]
    ended = np.flatnonzero(last <= split.train_end).tolist()
    return _without(panel, ended, f"end before validation begins (after {split.train_end})", say)


def _without(panel: Panel, places: Sequence[int], why: str, say: Say) -> Panel:
    """The panel without some tickers; reports them."""
    if not places:
        return panel
    _note([panel.tickers[n] for n in places], len(panel), why, say)
    if len(places) == len(panel):
        raise InputError(f"all tickers {why}: choose other dates, or fetch other candles.")
    return panel.select(~np.isin(panel.ticker_of_row, places))


def _note(left_out: Sequence[str], total: int, why: str, say: Say) -> None:
    if left_out:
        say(f"note: {len(left_out)} of {total} tickers {why} and are left out: {at_most_five(left_out)}")


def survivorship(data_dir: Path, panel: Panel, split: Split) -> list[str]:
    """A warning if stocks were chosen after the test period began: none of them can have failed in it.

    Not for currencies, coins, futures and indices, which do not fail like companies; nor for a single ticker or a few
    of the user's own files, which are not a list of survivors.
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
    """Judged by Yahoo's spelling of everything else: `^GSPC`, `EURUSD=X`, `CL=F`, `BTC-USD`."""
    return not (ticker.startswith("^") or ticker.endswith(("=X", "=F")) or _COIN.fullmatch(ticker))
