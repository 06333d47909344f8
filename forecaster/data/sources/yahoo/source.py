"""The workers: each takes a ticker, asks until it has an answer or a reason, and delivers."""

from __future__ import annotations

import datetime as dt
import queue
import re
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import tenacity

from forecaster.data import quality
from forecaster.data.bars import Bars
from forecaster.data.sources import Delivery, Order, SourceOptions
from forecaster.data.sources.yahoo import cache, update
from forecaster.data.sources.yahoo.client import Client
from forecaster.data.sources.yahoo.faults import YahooError
from forecaster.data.sources.yahoo.pacing import Pace, Patience, StoppedError
from forecaster.data.sources.yahoo.places import CLASS_SUFFIXES
from forecaster.data.sources.yahoo.rows import bars_of
from forecaster.errors import DataError, ForecasterError, InputError

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")

Found = tuple[Bars, tuple[str, ...]]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class YahooSource:
    """Yahoo Finance.

    Args:
        patience: how often and how slowly to ask again.
        folder: for the client's cookie; its default is beside the user's other caches.
        now: the time, with its zone, by which a candle is finished or not.
    """

    def __init__(
        self,
        options: SourceOptions,
        *,
        patience: Patience | None = None,
        folder: Path | None = None,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._session = options.session
        self._workers = options.workers
        self._patience = patience or Patience()
        self._folder = folder
        self._now = now

    def deliver(self, order: Order) -> Generator[Delivery, None, None]:
        """Give each ticker as it arrives, in no set order; without tickers those that the store has from here."""
        tickers = order.tickers or order.held
        if not tickers:
            raise InputError("There is no ticker to fetch: name one, as in `forecast fetch AAPL`.")
        client = Client(self._session, self._patience.timeout, self._folder or cache.default_folder())
        pace = Pace(self._patience, order.say)
        desk = _Desk(client, pace, self._patience, order, self._now)
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        done: queue.SimpleQueue[Delivery | BaseException] = queue.SimpleQueue()
        for ticker in tickers:
            waiting.put(ticker)
        with client.listening():
            for _ in range(min(self._workers, len(tickers))):
                # Daemons: a request under way must not keep an interrupted program alive.
                threading.Thread(target=_work, args=(desk, waiting, done), daemon=True).start()
            try:
                for _ in tickers:
                    yield self._flagged(_result(done), order)
            finally:
                pace.stop()

    def _flagged(self, delivery: Delivery, order: Order) -> Delivery:
        """With a note where it ends early; not in the workers, for the calendars are one for all."""
        if delivery.bars is None or order.end is not None:
            return delivery
        found = quality.stale(delivery.bars, np.datetime64(self._now().date(), "D"))
        return replace(delivery, notes=(*delivery.notes, *(oddity.text for oddity in found)))


def _work(desk: _Desk, waiting: queue.SimpleQueue[str], done: queue.SimpleQueue[Delivery | BaseException]) -> None:
    try:
        while True:
            done.put(desk.bring(waiting.get_nowait()))
    except (queue.Empty, StoppedError):
        return
    except BaseException as bug:
        done.put(bug)


def _result(done: queue.SimpleQueue[Delivery | BaseException]) -> Delivery:
    while True:
        try:
            result = done.get(timeout=0.2)  # a wait without end would not hear Ctrl-C on every system
        except queue.Empty:
            continue
        if isinstance(result, BaseException):
            raise result
        return result


class _Desk:
    """Where one ticker is worked on; shared by the workers, and without state of its own."""

    def __init__(
        self, client: Client, pace: Pace, patience: Patience, order: Order, now: Callable[[], dt.datetime]
    ) -> None:
        self._client = client
        self._pace = pace
        self._patience = patience
        self._order = order
        self._now = now

    def bring(self, ticker: str) -> Delivery:
        """One ticker's whole history, or why there is none."""
        try:
            _check_symbol(ticker)
            known = self._order.known(ticker)
            start, end = _span(self._order, known)
            bars, notes = self._history(ticker, known, start, end)
            bars = bars.between(start, end)
            if not len(bars):
                raise DataError(f"{ticker}: Yahoo has no candle between {start or 'the start'} and {end or 'today'}.")
            asked_for_less = (self._order.start, self._order.end) != (None, None)
            return Delivery(ticker, bars, notes, outside=not asked_for_less)
        except ForecasterError as failure:
            return Delivery(ticker, failure=failure)

    def _history(
        self, ticker: str, known: Bars | None, start: np.datetime64 | None, end: np.datetime64 | None
    ) -> Found:
        if known is None or self._order.full or (start is not None and start < known.dates[0]):
            return self._whole(ticker, known, start)
        if end is not None and end <= known.dates[-1]:
            return known, ()
        fresh, notes = self._ask(ticker, update.overlap_start(known), known, lambda _: None)
        why = update.rewritten(known, fresh)
        if why is not None:
            whole, repairs = self._whole(ticker, known, start)
            return whole, (f"whole history brought again: {why}", *repairs)
        bars, kept = update.continued(known, fresh)
        return bars, (*notes, *kept)

    def _whole(self, ticker: str, known: Bars | None, start: np.datetime64 | None) -> Found:
        def check(bars: Bars) -> None:
            if known is not None:
                update.check_not_worse(known, bars)

        return self._ask(ticker, start, known, check)

    def _ask(
        self, ticker: str, start: np.datetime64 | None, known: Bars | None, check: Callable[[Bars], None]
    ) -> Found:
        """Ask until there is a good answer or no sense in asking."""
        tries = 0

        def attempt() -> Found:
            nonlocal tries
            began = self._pace.turn()
            tries += 1
            try:
                answer = self._client.history(ticker, start, None if known is None else known.timezone)
                self._pace.worked()
                bars, notes = bars_of(answer, ticker, self._now(), None if known is None else known.calendar)
                check(bars)
                return bars, notes
            except YahooError as fault:
                if fault.again == "pause":
                    self._pace.limited(began, fault)
                raise

        try:
            return self._retrying()(attempt)
        except YahooError as fault:
            if not fault.reached:
                self._pace.unreached(fault)
            raise fault.final(ticker, tries) from fault

    def _retrying(self) -> tenacity.Retrying:
        most = {"wait": self._patience.tries, "once": 2, "no": 1, "heal": 3, "pause": self._patience.pauses + 2}
        grow = tenacity.wait_combine(
            tenacity.wait_exponential(self._patience.first_wait, max=self._patience.longest_wait),
            tenacity.wait_random(0, self._patience.first_wait),
        )

        def fault(state: tenacity.RetryCallState) -> YahooError | None:
            error = state.outcome.exception() if state.outcome is not None else None
            return error if isinstance(error, YahooError) else None

        def enough(state: tenacity.RetryCallState) -> bool:
            found = fault(state)
            return found is None or state.attempt_number >= most[found.again]

        def wait(state: tenacity.RetryCallState) -> float:
            found = fault(state)
            return 0.0 if found is not None and found.again in ("pause", "heal") else grow(state)

        def forget(state: tenacity.RetryCallState) -> None:
            found = fault(state)
            if found is not None:
                self._client.forget(found)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(YahooError),
            stop=enough,
            wait=wait,
            sleep=self._pace.rest,
            before_sleep=forget,
            reraise=True,
        )


def _check_symbol(ticker: str) -> None:
    stem, dot, suffix = ticker.rpartition(".")
    if dot and suffix in CLASS_SUFFIXES:
        raise InputError(f"{ticker} is not a symbol of Yahoo's: did you mean {stem}-{suffix}?")
    if _ISIN.fullmatch(ticker):
        raise InputError(f"{ticker} is an ISIN: expected Yahoo's symbol, as in AAPL or VOD.L.")


def _span(order: Order, known: Bars | None) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """First and last date of the history to deliver: what was asked for, and never less than what is held."""
    start, end = order.start, order.end
    if known is None or order.full:
        return start, end
    return (
        None if start is None else min(start, known.dates[0]),
        None if end is None else max(end, known.dates[-1]),
    )
