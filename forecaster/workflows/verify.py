"""Checks the store, and repairs it from the sources of its candles."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forecaster.data import quality
from forecaster.data.quality import Oddity
from forecaster.data.sources import SourceOptions
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, ForecasterError
from forecaster.workflows.fetch import Fetched, fetch

_DEFAULT_SOURCE = "yahoo"
_SET_BY_USER = ("file", "frame")
"""Sources without a calendar of their own: the user sets it."""


@dataclass(frozen=True)
class Finding:
    """One problem of a ticker.

    Args:
        kind: `damaged` (the file), or a kind of `Oddity` (the candles).
        source: of its candles or, if its file is unreadable, of most other tickers.
        outcome: result of the repair; empty if none was requested.
        mended: whether the problem is gone after the repair.
    """

    ticker: str
    file: str
    kind: str
    problem: str
    remedy: str
    source: str = ""
    outcome: str = ""
    mended: bool = False


def verify(
    data_dir: Path | str = "data/store",
    tickers: str | Sequence[str] = (),
    *,
    repair: bool = False,
    options: SourceOptions | None = None,
    report: Callable[[Fetched], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """Reads every file completely and looks for damage, and for candles that look wrong (see `quality.Oddity`).

    Args:
        tickers: all if empty.
        repair: fetch the whole history of each ticker with a finding again.
        options: how the sources are reached.
        report, say: as in `fetch`.

    Returns:
        The findings, after a repair with its outcome.

    Raises:
        InputError: there is no store, or it does not have a ticker.
    """
    store = open_store(data_dir)
    names = store.require(normalise_all(tickers)) or store.tickers()
    findings = _findings(store, names)
    if not repair or not findings:
        return findings
    outcomes = _repair(store, findings, options or SourceOptions(), report, say)
    left = {(finding.ticker, finding.kind) for finding in _findings(store, tuple(outcomes))}
    return [
        replace(
            finding,
            outcome=outcomes.get(finding.ticker, finding.outcome),
            mended=finding.ticker in outcomes and (finding.ticker, finding.kind) not in left,
        )
        for finding in findings
    ]


def _findings(store: Store, tickers: Sequence[str]) -> list[Finding]:
    findings: list[Finding] = []
    ends: dict[str, tuple[np.datetime64, str, str]] = {}  # no views of candles: they would keep all in memory
    for ticker in tickers:
        try:
            bars, source = store.checked(ticker), store.record(ticker).source
        except DataError as error:
            findings.append(_damage(store, ticker, error))
            continue
        ends[ticker] = (bars.dates[-1], bars.calendar, source)
        findings += [_odd(store, ticker, source, oddity) for oddity in quality.oddities(bars)]
    return findings + _behind(store, ends)


def _damage(store: Store, ticker: str, error: DataError) -> Finding:
    problem = str(error).removeprefix(f"{store.path(ticker)} is damaged: ").partition(" Delete it")[0]
    source = _source(store, ticker)
    return Finding(ticker, str(store.path(ticker)), "damaged", problem, _remedy(ticker, source), source)


def _odd(store: Store, ticker: str, source: str, oddity: Oddity) -> Finding:
    options = "" if oddity.kind == "calendar" and source not in _SET_BY_USER else oddity.options
    remedy = _remedy(ticker, source, options and f" {options}")
    return Finding(ticker, str(store.path(ticker)), oddity.kind, f"{oddity.text}.", remedy, source)


def _behind(store: Store, ends: dict[str, tuple[np.datetime64, str, str]]) -> list[Finding]:
    """Tickers that end long before the others of the same exchange and source.

    Args:
        ends: last date, exchange calendar and source of each ticker.
    """
    latest: dict[tuple[str, str], np.datetime64] = {}
    for last, calendar, source in ends.values():
        latest[calendar, source] = max(latest.get((calendar, source), last), last)
    return [
        _odd(store, ticker, source, Oddity("stale", _late(last, newest)))
        for ticker, (last, calendar, source) in ends.items()
        if quality.behind(last, newest := latest[calendar, source])
    ]


def _late(last: np.datetime64, newest: np.datetime64) -> str:
    return f"the last candle is of {last}, others reach {newest}"


def _source(store: Store, ticker: str) -> str:
    """Source of a ticker or, if its file is unreadable, of most other tickers."""
    try:
        return store.record(ticker).source
    except DataError:
        counts = Counter(_sources(store))
        return counts.most_common(1)[0][0] if counts else _DEFAULT_SOURCE


def _sources(store: Store) -> Iterator[str]:
    for ticker in store.tickers():
        with contextlib.suppress(DataError):
            yield store.record(ticker).source


def _remedy(ticker: str, source: str, options: str = "") -> str:
    if source == "file":
        return f"Fetch it from its file again: forecast fetch {ticker} --source file --path FILE --full{options}."
    if source == "frame":
        return f"Pass its frame to forecaster.store_frame again{' with' * bool(options)}{_in_python(options)}."
    which = f" --source {source}" if source != _DEFAULT_SOURCE else ""
    return f"forecast data verify --repair, or: forecast fetch {ticker}{which} --full{options}."


def _in_python(options: str) -> str:
    """` --calendar 24/7` → ` calendar="24/7"`."""
    name, _, value = options.strip().removeprefix("--").partition(" ")
    return f' {name}="{value}"' if value else f" {name}=True" if name else ""


def _repair(
    store: Store,
    findings: Sequence[Finding],
    options: SourceOptions,
    report: Callable[[Fetched], None],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Fetches each ticker once, source by source; returns the outcomes as text."""
    outcomes: dict[str, str] = {}
    sources = {finding.ticker: finding.source for finding in findings}
    for source in sorted(set(sources.values())):
        names = [ticker for ticker, its in sources.items() if its == source]
        try:
            done = fetch(names, source=source, data_dir=store.root, options=options, full=True, report=report, say=say)
            outcomes |= {one.ticker: one.reason or f"{one.status}: {one.rows} rows from {source}" for one in done}
        except ForecasterError as error:  # such as a file, whose path the store does not know
            outcomes |= dict.fromkeys(names, str(error))
    return outcomes
