"""Wrapper of yfinance that raises every error and prints nothing."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecaster.data.sources.yahoo import cache
from forecaster.data.sources.yahoo.faults import YahooError, classify

_STATUS = re.compile(r"response code=(\d{3})")


@dataclass(frozen=True)
class Answer:
    """Yahoo's response for one ticker: the data frame, and metadata of the listing."""

    frame: pd.DataFrame
    meta: Mapping[str, Any]

    def meta_value(self, *keys: str) -> Any:
        """A nested value of `meta`, or None; do not iterate over `meta`, which would send a request."""
        found: Any = self.meta
        for key in keys:
            found = found[key] if found is not None and key in found else None
        return found


class Client:
    """Thread-safe; one request at a time per thread.

    Args:
        session: HTTP session to use instead of the client's own, such as one with a proxy.
        timeout: request timeout in seconds.
        folder: for the client's cookie cache.
    """

    def __init__(self, session: Any, timeout: float, folder: Path) -> None:
        self._yfinance = yfinance = cache.import_client()
        self._session = session
        self._timeout = timeout
        self._folder = folder
        self._statuses = _StatusHandler()
        self._was_reset = False
        yfinance.config.debug.hide_exceptions = False  # otherwise every failure looks like a delisted ticker
        warnings.filterwarnings("ignore", module=r"yfinance(\..*)?")  # after the import, which resets its filters
        cache.set_folder(folder)

    @contextmanager
    def captured_logs(self) -> Iterator[None]:
        """Capture the client's log lines instead of printing them."""
        logger = logging.getLogger("yfinance")
        level, propagate = logger.level, logger.propagate
        logger.addHandler(self._statuses)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self._statuses)
            logger.setLevel(level)
            logger.propagate = propagate

    def history(self, ticker: str, start: np.datetime64 | None, zone: str | None) -> Answer:
        """Request the daily candles from a date on, or the whole history.

        Args:
            zone: time zone of the exchange if known; without it the response may start a day early.

        Raises:
            YahooError: any failure.
        """
        self._statuses.clear()
        try:
            return self._request(ticker, start, zone)
        except Exception as error:  # yfinance can raise anything, even KeyError for a malformed response
            raise classify(error, self._statuses.latest(), self._timeout) from error

    def prepare_retry(self, fault: YahooError) -> None:
        """Clear caches so that a retry sends a new request."""
        cache.clear_responses()
        if fault.retry == "reset" and not self._was_reset:
            self._was_reset = True
            cache.reset(self._folder)
        elif fault.retry == "reset":  # the client cannot read back the cookies that Yahoo sends now
            cache.disable()

    def _request(self, ticker: str, start: np.datetime64 | None, zone: str | None) -> Answer:
        handle = self._yfinance.Ticker(ticker, session=self._session)
        # Avoids a time zone request per ticker, whose response the client would cache even if it is bad. The zone
        # only converts `start` to a timestamp. A client without this attribute requests it and works as well.
        handle._tz = zone or "UTC"
        if zone is None and start is not None:
            start = start - np.timedelta64(1, "D")
        span = {"period": "max"} if start is None else {"start": str(start)}  # with an `end`, it answers from its cache
        frame = handle.history(**span, interval="1d", auto_adjust=False, actions=True, timeout=self._timeout)
        return Answer(frame, handle.history_metadata)


class _StatusHandler(logging.Handler):
    """Records the HTTP status of each thread's latest response from the log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._by_thread: dict[int, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(str(record.msg))
        if found:
            self._by_thread[threading.get_ident()] = int(found[1])

    def clear(self) -> None:
        self._by_thread.pop(threading.get_ident(), None)

    def latest(self) -> int | None:
        return self._by_thread.get(threading.get_ident())
