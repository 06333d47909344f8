"""Rate limiting shared by all workers: request spacing, exponential backoff and pauses after HTTP 429."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from forecaster.data.sources.yahoo.faults import YahooError


class StoppedError(Exception):
    """Raised in workers when the fetch is over."""


@dataclass(frozen=True)
class RetrySettings:
    """Retry and rate-limit settings; all times in seconds.

    Args:
        tries: attempts per ticker before it fails.
        first_wait: backoff before the second attempt; doubles with each attempt, plus jitter.
        longest_wait: upper bound of the backoff.
        spacing: minimum time between two requests of all workers.
        pauses: pauses after "too many requests" (HTTP 429) before the whole fetch fails.
        first_pause: length of the first pause; doubles with each pause, plus jitter.
        longest_pause: upper bound of a pause.
        timeout: of one request.
    """

    tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 30.0
    spacing: float = 0.2
    pauses: int = 4
    first_pause: float = 30.0
    longest_pause: float = 300.0
    timeout: float = 15.0


class RateLimiter:
    """Rate limiter shared by all workers of a fetch.

    Args:
        say: called with a message at each pause.
    """

    def __init__(self, settings: RetrySettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._free_at = 0.0
        self._paused_at = -1.0
        self._pauses = 0
        self._unreached = 0
        self._refusal: YahooError | None = None

    def acquire(self) -> float:
        """Wait for permission to send a request; returns the time at which it was given.

        Raises:
            YahooError: no further requests: Yahoo cannot be reached or keeps refusing.
            StoppedError: the fetch is over.
        """
        while True:
            if self._stopped.is_set():
                raise StoppedError
            with self._lock:
                now = time.monotonic()
                if self._refusal is not None:
                    raise self._refusal
                if self._free_at <= now:
                    self._free_at = now + self._settings.spacing
                    return now
                wait = self._free_at - now
            # Not under the lock, which the other workers need in the meantime.
            self.sleep(wait)

    def sleep(self, seconds: float) -> None:
        """Sleep, but wake when the fetch is over."""
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End all waits: the fetch is over."""
        self._stopped.set()

    def succeeded(self) -> None:
        """A response arrived: reset the counters of pauses and failures."""
        with self._lock:
            self._pauses = self._unreached = 0

    def rate_limited(self, began: float, fault: YahooError) -> None:
        """A request sent at `began` was refused as one too many: pause all workers."""
        with self._lock:
            if began <= self._paused_at:
                return  # sent before the pause began: already counted
            self._pauses += 1
            if self._pauses > self._settings.pauses:
                self._refusal = fault.permanent()
                return
            self._paused_at = time.monotonic()
            wait = _backoff(self._settings.first_pause, self._pauses, self._settings.longest_pause)
            self._free_at = self._paused_at + wait
            number = self._pauses
        self._say(f"Yahoo says: too many requests; waiting {wait:.0f} s (pause {number} of {self._settings.pauses}).")

    def unreachable(self, fault: YahooError) -> None:
        """A ticker had no connection in any attempt: after three such tickers in a row, stop the fetch."""
        with self._lock:
            self._unreached += 1
            if self._unreached >= 3:
                self._refusal = fault.permanent()


def _backoff(first: float, number: int, cap: float) -> float:
    """Exponential backoff with jitter: min(first · 2ⁿ⁻¹, cap) plus up to 25 %, so that clients are not in step."""
    return float(min(first * 2 ** (number - 1), cap) * random.uniform(1.0, 1.25))
