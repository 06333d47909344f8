"""Fetches candles from a source into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from forecaster.data.bars import Bars
from forecaster.data.dates import DateLike, to_day
from forecaster.data.quality import admit
from forecaster.data.sources import SOURCES, Delivery, Order, SourceOptions, check_options, options_set
from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, ForecasterError, InputError, OutsideError, UnknownNameError


@dataclass(frozen=True)
class Fetched:
    """Outcome of one ticker.

    Args:
        status: `new`, `updated`, `unchanged`, `kept` (the store's history is better) or `failed`.
        rows: candles in the store now.
        added: number of new dates.
        first, last: dates of the oldest and the newest candle in the store now.
        notes: what was repaired, dropped or looks odd, a sentence each.
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
    tickers: str | Sequence[str] = (),
    *,
    source: str = "yahoo",
    data_dir: Path | str = "data/store",
    options: SourceOptions | None = None,
    start: DateLike | None = None,
    end: DateLike | None = None,
    full: bool = False,
    force: bool = False,
    report: Callable[[Fetched], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Fetched]:
    """Fetches daily candles of tickers into the store, one after the other as they arrive.

    Args:
        tickers: symbols, or a single one as text; if empty, `file` and `sample` fetch all they have and `yahoo`
            updates the tickers in the store.
        options: path of a file and what it lacks; how a network source is reached.
        start, end: first and last date to fetch.
        full: fetch whole histories, not just new candles.
        force: replace a history in the store even with a shorter one; implies `full`.
        report: called with each outcome as it happens.
        say: called with progress messages.

    Returns:
        One outcome for each ticker, in the order requested. Tickers that succeeded stay in the store if others fail or
        the fetch is interrupted.

    Raises:
        InputError: reversed dates, a bad symbol, an option without effect, or a source that cannot serve the request.
    """
    first, last = to_day(start, "start"), to_day(end, "end")
    if first is not None and last is not None and first > last:
        raise InputError(f"start {first} is after end {last}: swap them.")
    options = options or SourceOptions()
    check_options(source, options_set(options))
    names = normalise_all(tickers)
    store = Store(data_dir)
    order = Order(
        names,
        known=lambda ticker: _known(store, ticker, source),
        start=first,
        end=last,
        full=full or force,
        held=_held(store, source),
        say=say,
    )
    outcomes: list[Fetched] = []
    with _closing(SOURCES[source](options).deliver(order)) as deliveries:
        for delivery in deliveries:
            try:
                outcome = _settle(store, delivery, source, force)
            except OutsideError as error:
                if all(one.code for one in outcomes):
                    raise
                outcome = _failed(
                    store, replace(delivery, failure=error)
                )  # the disk is full: report the outcomes so far
            outcomes.append(outcome)
            report(outcome)
    place = {name: at for at, name in enumerate(names)}
    return sorted(outcomes, key=lambda outcome: place.get(outcome.ticker, len(place)))


def exit_code(outcomes: Sequence[Fetched]) -> int:
    """0 if all tickers succeeded, 3 if some did, else the failure's own code."""
    codes = {outcome.code for outcome in outcomes if outcome.code}
    if not codes:
        return 0
    return 3 if any(not outcome.code for outcome in outcomes) else max(codes)


def _settle(store: Store, delivery: Delivery, source: str, force: bool) -> Fetched:
    if delivery.bars is None:
        return _failed(store, delivery)
    try:
        bars, odd = admit(delivery.bars)
    except DataError as error:
        return _failed(store, replace(delivery, failure=error))
    change = store.write(bars, source=source, force=force, part=delivery.part)
    worse = OutsideError.exit_code if delivery.outside else InputError.exit_code
    record = store.record(delivery.ticker)
    return Fetched(
        ticker=delivery.ticker,
        status=change.status,
        rows=record.rows,
        added=change.rows_added,
        first=str(record.first),
        last=str(record.last),
        notes=(*delivery.notes, *odd),
        reason=change.reason,
        code=worse if change.status == "kept" else 0,
    )


def _failed(store: Store, delivery: Delivery) -> Fetched:
    failure = delivery.failure or ForecasterError("the source returned neither candles nor a reason")
    try:
        record = store.record(delivery.ticker)
        rows, first, last = record.rows, str(record.first), str(record.last)
    except (InputError, OutsideError, KeyError):
        rows, first, last = 0, "", ""
    return Fetched(
        delivery.ticker, "failed", rows, 0, first, last, delivery.notes, reason=str(failure), code=failure.exit_code
    )


def _known(store: Store, ticker: str, source: str) -> Bars | None:
    """The history that an update can continue: undamaged and from the same source."""
    if not store.holds(ticker):  # asked first: the error for an unknown ticker names the nearest of all that are stored
        return None
    try:
        return store.checked(ticker) if store.record(ticker).source == source else None
    except (UnknownNameError, DataError):
        return None


def _held(store: Store, source: str) -> tuple[str, ...]:
    """The store's tickers from this source, and those whose file cannot be read to name one."""

    def from_source(ticker: str) -> bool:
        try:
            return store.record(ticker).source == source
        except (DataError, OutsideError):  # the fetch of this one will say why
            return True

    return tuple(ticker for ticker in store.tickers() if from_source(ticker))


@contextmanager
def _closing(deliveries: Iterator[Delivery]) -> Iterator[Iterator[Delivery]]:
    """Closes the generator on exit, which ends the source's workers."""
    try:
        yield deliveries
    finally:
        close = getattr(deliveries, "close", None)
        if close is not None:
            close()
