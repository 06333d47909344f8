"""Bring candles from a source into the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.sources import SOURCES, Delivery, Order, SourceOptions
from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, ForecasterError, InputError, UnknownNameError


@dataclass(frozen=True)
class Fetched:
    """What became of one ticker.

    Args:
        status: `new`, `updated`, `unchanged`, `kept` (the store's was better) or `failed`.
        rows: candles the store holds now.
        added: dates that came in.
        notes: what was repaired or dropped, a sentence each.
        reason: why it failed or was kept.
        code: exit code of the failure, 0 if there was none.
    """

    ticker: str
    status: str
    rows: int = 0
    added: int = 0
    first: str = ""
    last: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""
    code: int = 0


def fetch(
    tickers: Sequence[str] = (),
    *,
    source: str = "yahoo",
    data_dir: Path | str = "data/store",
    options: SourceOptions | None = None,
    start: np.datetime64 | None = None,
    end: np.datetime64 | None = None,
    full: bool = False,
    force: bool = False,
    report: Callable[[Fetched], None] = lambda _: None,
) -> list[Fetched]:
    """Bring daily candles of tickers into the store, one after the other as they arrive.

    Args:
        tickers: symbols; with none, `file` and `sample` bring all they hold and `yahoo` updates what the store has.
        options: where a file lies and what it can't say of itself.
        start, end: first and last date to bring.
        full: bring whole histories even where the rest would do.
        force: replace a history in the store even with a shorter one.
        report: called with each outcome as it happens.

    Returns:
        One outcome a ticker. What succeeded stays in the store whatever fails or is interrupted later.

    Raises:
        InputError: dates reversed, a bad symbol, or a source that cannot serve the order.
    """
    if start is not None and end is not None and start > end:
        raise InputError(f"start {start} lies after end {end}: swap them.")
    store = Store(data_dir)
    order = Order(normalise_all(tickers), lambda ticker: _known(store, ticker), start, end, full)
    outcomes = []
    for delivery in SOURCES[source](options or SourceOptions()).deliver(order):
        outcome = _settle(store, delivery, source, force)
        outcomes.append(outcome)
        report(outcome)
    return outcomes


def exit_code(outcomes: Sequence[Fetched]) -> int:
    """0 when all of it was done, 3 when a part was, else the reason's own code."""
    codes = {outcome.code for outcome in outcomes if outcome.code}
    if not codes:
        return 0
    return 3 if any(not outcome.code for outcome in outcomes) else max(codes)


def _settle(store: Store, delivery: Delivery, source: str, force: bool) -> Fetched:
    if delivery.bars is None:
        return _failed(delivery)
    change = store.write(delivery.bars, source=source, force=force)
    held = store.record(delivery.ticker)
    return Fetched(
        ticker=delivery.ticker,
        status=change.status,
        rows=held.rows,
        added=change.rows_added,
        first=str(held.first),
        last=str(held.last),
        notes=delivery.notes,
        reason=change.reason,
        code=2 if change.status == "kept" else 0,
    )


def _failed(delivery: Delivery) -> Fetched:
    failure = delivery.failure or ForecasterError("the source gave neither candles nor a reason")
    return Fetched(delivery.ticker, "failed", reason=str(failure), notes=delivery.notes, code=failure.exit_code)


def _known(store: Store, ticker: str) -> Bars | None:
    try:
        return store.read(ticker)
    except (UnknownNameError, DataError):
        return None
