"""Bring candles from a source into the store."""

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
    """What became of one ticker.

    Args:
        status: `new`, `updated`, `unchanged`, `kept` (the store's was better) or `failed`.
        rows: candles the store holds now.
        added: dates that came in.
        first, last: dates of the oldest and the newest candle that the store holds now.
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
    """Bring daily candles of tickers into the store, one after the other as they arrive.

    Args:
        tickers: symbols, a single text being one; with none, `file` and `sample` bring all they hold and `yahoo`
            updates what the store has.
        options: where a file lies and what it can't say of itself; how a network source is reached.
        start, end: first and last date to bring.
        full: bring whole histories even where the rest would do.
        force: replace a history in the store even with a shorter one; brings whole histories.
        report: called with each outcome as it happens.
        say: called with what the user should know while waiting.

    Returns:
        One outcome a ticker, in the order asked for. What succeeded stays in the store whatever fails or is
        interrupted later.

    Raises:
        InputError: dates reversed, a bad symbol, an option without effect, or a source that cannot serve the order.
    """
    first, last = to_day(start, "start"), to_day(end, "end")
    if first is not None and last is not None and first > last:
        raise InputError(f"start {first} lies after end {last}: swap them.")
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
                outcome = _failed(store, replace(delivery, failure=error))  # the disk filled up: say what came before
            outcomes.append(outcome)
            report(outcome)
    place = {name: at for at, name in enumerate(names)}
    return sorted(outcomes, key=lambda outcome: place.get(outcome.ticker, len(place)))


def exit_code(outcomes: Sequence[Fetched]) -> int:
    """0 when all of it was done, 3 when a part was, else the reason's own code."""
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
    held = store.record(delivery.ticker)
    return Fetched(
        ticker=delivery.ticker,
        status=change.status,
        rows=held.rows,
        added=change.rows_added,
        first=str(held.first),
        last=str(held.last),
        notes=(*delivery.notes, *odd),
        reason=change.reason,
        code=worse if change.status == "kept" else 0,
    )


def _failed(store: Store, delivery: Delivery) -> Fetched:
    failure = delivery.failure or ForecasterError("the source gave neither candles nor a reason")
    try:
        held = store.record(delivery.ticker)
        rows, first, last = held.rows, str(held.first), str(held.last)
    except (InputError, KeyError):
        rows, first, last = 0, "", ""
    return Fetched(
        delivery.ticker, "failed", rows, 0, first, last, delivery.notes, reason=str(failure), code=failure.exit_code
    )


def _known(store: Store, ticker: str, source: str) -> Bars | None:
    """What can be continued: an undamaged history from the same source."""
    try:
        return store.checked(ticker) if store.record(ticker).source == source else None
    except (UnknownNameError, DataError):
        return None


def _held(store: Store, source: str) -> tuple[str, ...]:
    """The store's tickers from this source, and those whose file is too damaged to tell."""

    def ours(ticker: str) -> bool:
        try:
            return store.record(ticker).source == source
        except DataError:
            return True

    return tuple(ticker for ticker in store.tickers() if ours(ticker))


@contextmanager
def _closing(deliveries: Iterator[Delivery]) -> Iterator[Iterator[Delivery]]:
    """End a source's workers as soon as nobody takes what they bring."""
    try:
        yield deliveries
    finally:
        close = getattr(deliveries, "close", None)
        if close is not None:
            close()
