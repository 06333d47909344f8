"""The real yfinance client, used so that it raises what goes wrong and prints nothing."""

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
    """What Yahoo sent for one ticker: the client's frame, and what it says of the listing."""

    frame: pd.DataFrame
    meta: Mapping[str, Any]

    def said(self, *keys: str) -> Any:
        """A part of `meta`, or None; never iterate over it, which would send a request."""
        found: Any = self.meta
        for key in keys:
            found = found[key] if found is not None and key in found else None
        return found


class Client:
    """One request at a time and thread; any number of threads.

    Args:
        session: an HTTP session to use instead of the client's own, such as one with a proxy.
        timeout: of a request, in seconds.
        folder: for the client's cookie.
    """

    def __init__(self, session: Any, timeout: float, folder: Path) -> None:
        self._yfinance = yfinance = cache.import_client()
        self._session = session
        self._timeout = timeout
        self._folder = folder
        self._ears = _Ears()
        self._healed = False
        yfinance.config.debug.hide_exceptions = False  # else every failure looks like a delisted ticker
        warnings.filterwarnings("ignore", module=r"yfinance(\..*)?")  # after the import, which resets its own
        cache.use(folder)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the client's log lines for as long as this lasts."""
        logger = logging.getLogger("yfinance")
        level, propagate = logger.level, logger.propagate
        logger.addHandler(self._ears)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self._ears)
            logger.setLevel(level)
            logger.propagate = propagate

    def history(self, ticker: str, start: np.datetime64 | None, zone: str | None) -> Answer:
        """Ask for the daily candles from a date on, or for all there are.

        Args:
            zone: of the exchange, where known; without it the answer may begin a day early.

        Raises:
            YahooError: whatever went wrong.
        """
        self._ears.forget()
        try:
            return self._ask(ticker, start, zone)
        except Exception as error:  # the client lets everything through, down to a KeyError of a malformed answer
            raise classify(error, self._ears.status(), self._timeout) from error

    def forget(self, fault: YahooError) -> None:
        """Make a retry a real one."""
        cache.forget_answers()
        if fault.again == "heal" and not self._healed:
            self._healed = True
            cache.heal(self._folder)
        elif fault.again == "heal":  # Yahoo's cookies themselves are such that the client can't read them back
            cache.use_none()

    def _ask(self, ticker: str, start: np.datetime64 | None, zone: str | None) -> Answer:
        handle = self._yfinance.Ticker(ticker, session=self._session)
        # Spares a look-up of the zone for each ticker, whose answer the client would remember even when it is bad;
        # the zone only turns `start` into a moment. A client without this attribute looks it up and works as well.
        handle._tz = zone or "UTC"
        if zone is None and start is not None:
            start = start - np.timedelta64(1, "D")
        span = {"period": "max"} if start is None else {"start": str(start)}  # no `end`: the past is answered by memory
        frame = handle.history(**span, interval="1d", auto_adjust=False, actions=True, timeout=self._timeout)
        return Answer(frame, handle.history_metadata)


class _Ears(logging.Handler):
    """Keeps the HTTP status of each thread's last answer."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._heard: dict[int, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(str(record.msg))
        if found:
            self._heard[threading.get_ident()] = int(found[1])

    def forget(self) -> None:
        self._heard.pop(threading.get_ident(), None)

    def status(self) -> int | None:
        return self._heard.get(threading.get_ident())
