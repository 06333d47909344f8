"""Worker threads: each takes a ticker, requests it with retries and backoff, and delivers a history or an error."""

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
from forecaster.data.sources.yahoo.pacing import RateLimiter, RetrySettings, StoppedError
from forecaster.data.sources.yahoo.places import CLASS_SUFFIXES
from forecaster.data.sources.yahoo.rows import bars_of
from forecaster.errors import DataError, ForecasterError, InputError

_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")

BarsAndNotes = tuple[Bars, tuple[str, ...]]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class YahooSource:
    """Yahoo Finance.

    Args:
        retry_settings: retries, backoff and rate limit.
        folder: for the client's cookie cache; defaults to the user's cache folder.
        now: returns the current time, timezone-aware; decides which candles are finished.
    """

    def __init__(
        self,
        options: SourceOptions,
        *,
        retry_settings: RetrySettings | None = None,
        folder: Path | None = None,
        now: Callable[[], dt.datetime] = _now,
    ) -> None:
        self._session = options.session
        self._workers = options.workers
        self._settings = retry_settings or RetrySettings()
        self._folder = folder
        self._now = now

    def deliver(self, order: Order) -> Generator[Delivery, None, None]:
        """Yield each ticker as it arrives, in any order; without tickers, those that the store has from Yahoo."""
        tickers = order.tickers or order.held
        if not tickers:
            raise InputError("No ticker to fetch: name one, as in `forecast fetch AAPL`.")
        client = Client(self._session, self._settings.timeout, self._folder or cache.default_folder())
        limiter = RateLimiter(self._settings, order.say)
        fetcher = _Fetcher(client, limiter, self._settings, order, self._now)
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        done: queue.SimpleQueue[Delivery | BaseException] = queue.SimpleQueue()
        for ticker in tickers:
            waiting.put(ticker)
        with client.captured_logs():
            for _ in range(min(self._workers, len(tickers))):
                # Daemon threads: a pending request must not keep an interrupted program alive.
                threading.Thread(target=_run_worker, args=(fetcher, waiting, done), daemon=True).start()
            try:
                for _ in tickers:
                    yield self._with_stale_note(_next_delivery(done), order)
            finally:
                limiter.stop()

    def _with_stale_note(self, delivery: Delivery, order: Order) -> Delivery:
        """Add a note if the history ends early; in the main thread, because the calendar caches are shared."""
        if delivery.bars is None or order.end is not None:
            return delivery
        found = quality.stale(delivery.bars, np.datetime64(self._now().date(), "D"))
        return replace(delivery, notes=(*delivery.notes, *(oddity.text for oddity in found)))


def _run_worker(
    fetcher: _Fetcher, waiting: queue.SimpleQueue[str], done: queue.SimpleQueue[Delivery | BaseException]
) -> None:
    try:
        while True:
            done.put(fetcher.fetch(waiting.get_nowait()))
    except (queue.Empty, StoppedError):
        return
    except BaseException as bug:
        done.put(bug)


def _next_delivery(done: queue.SimpleQueue[Delivery | BaseException]) -> Delivery:
    while True:
        try:
            result = done.get(timeout=0.2)  # without a timeout, some systems would not react to Ctrl-C
        except queue.Empty:
            continue
        if isinstance(result, BaseException):
            raise result
        return result


class _Fetcher:
    """Fetches one ticker; stateless and shared by the workers."""

    def __init__(
        self,
        client: Client,
        limiter: RateLimiter,
        settings: RetrySettings,
        order: Order,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._settings = settings
        self._order = order
        self._now = now

    def fetch(self, ticker: str) -> Delivery:
        """One ticker's whole history, or the error."""
        try:
            _check_symbol(ticker)
            known = self._order.known(ticker)
            start, end = _span(self._order, known)
            bars, notes = self._history(ticker, known, start, end)
            bars = bars.between(start, end)
            if not len(bars):
                raise DataError(f"{ticker}: Yahoo has no candle between {start or 'the start'} and {end or 'today'}.")
            is_limited = (self._order.start, self._order.end) != (None, None)
            return Delivery(ticker, bars, notes, outside=not is_limited)
        except ForecasterError as failure:
            return Delivery(ticker, failure=failure)

    def _history(
        self, ticker: str, known: Bars | None, start: np.datetime64 | None, end: np.datetime64 | None
    ) -> BarsAndNotes:
        if known is None or self._order.full or (start is not None and start < known.dates[0]):
            return self._whole(ticker, known, start)
        if end is not None and end <= known.dates[-1]:
            return known, ()
        fresh, notes = self._request(ticker, update.overlap_start(known), known, lambda _: None)
        why = update.rewrite_reason(known, fresh)
        if why is not None:
            whole, repairs = self._whole(ticker, known, start)
            return whole, (f"whole history fetched again: {why}", *repairs)
        bars, kept = update.merge(known, fresh)
        return bars, (*notes, *kept)

    def _whole(self, ticker: str, known: Bars | None, start: np.datetime64 | None) -> BarsAndNotes:
        def check(bars: Bars) -> None:
            if known is not None:
                update.check_not_worse(known, bars)

        return self._request(ticker, start, known, check)

    def _request(
        self, ticker: str, start: np.datetime64 | None, known: Bars | None, check: Callable[[Bars], None]
    ) -> BarsAndNotes:
        """Request until the response is valid or retries are exhausted."""
        tries = 0

        def attempt() -> BarsAndNotes:
            nonlocal tries
            began = self._limiter.acquire()
            tries += 1
            try:
                answer = self._client.history(ticker, start, None if known is None else known.timezone)
                self._limiter.succeeded()
                bars, notes = bars_of(answer, ticker, self._now(), None if known is None else known.calendar)
                check(bars)
                return bars, notes
            except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
                raise YahooError(f"sent an unusable response ({type(error).__name__})", "once") from error
            except YahooError as fault:
                if fault.retry == "pause":
                    self._limiter.rate_limited(began, fault)
                raise

        try:
            return self._retrying()(attempt)
        except YahooError as fault:
            if not fault.reached:
                self._limiter.unreachable(fault)
            raise fault.final(ticker, tries) from fault

    def _retrying(self) -> tenacity.Retrying:
        """Retry policy: the number of attempts depends on the error; exponential backoff with jitter."""
        settings = self._settings
        # More attempts than pauses: the rate limiter, which all workers share, must be the first to give up.
        attempts = {"backoff": settings.tries, "once": 2, "never": 1, "reset": 3, "pause": settings.pauses + 2}
        backoff = tenacity.wait_combine(
            tenacity.wait_exponential(settings.first_wait, max=settings.longest_wait),
            tenacity.wait_random(0, settings.first_wait),
        )

        def fault(state: tenacity.RetryCallState) -> YahooError | None:
            error = state.outcome.exception() if state.outcome is not None else None
            return error if isinstance(error, YahooError) else None

        def stop(state: tenacity.RetryCallState) -> bool:
            found = fault(state)
            return found is None or state.attempt_number >= attempts[found.retry]

        def wait(state: tenacity.RetryCallState) -> float:
            found = fault(state)
            return 0.0 if found is not None and found.retry in ("pause", "reset") else backoff(state)

        def before_retry(state: tenacity.RetryCallState) -> None:
            found = fault(state)
            if found is not None:
                self._client.prepare_retry(found)

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(YahooError),
            stop=stop,
            wait=wait,
            sleep=self._limiter.sleep,
            before_sleep=before_retry,
            reraise=True,
        )


def _check_symbol(ticker: str) -> None:
    stem, dot, suffix = ticker.rpartition(".")
    if dot and suffix in CLASS_SUFFIXES:
        raise InputError(f"{ticker} is not a Yahoo symbol: did you mean {stem}-{suffix}?")
    if _ISIN.fullmatch(ticker):
        raise InputError(f"{ticker} is an ISIN: expected Yahoo's symbol, as in AAPL or VOD.L.")


def _span(order: Order, known: Bars | None) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """First and last date to deliver: those requested, but never less than what is stored."""
    start, end = order.start, order.end
    if known is None or order.full:
        return start, end
    return (
        None if start is None else min(start, known.dates[0]),
        None if end is None else max(end, known.dates[-1]),
    )
