"""When the next request may go: one rhythm and one shared pause for all workers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from forecaster.data.sources.yahoo.faults import YahooError


class StoppedError(Exception):
    """The fetch is over; a worker that meets this goes home."""


@dataclass(frozen=True)
class Patience:
    """How long Yahoo is borne with; all times in seconds.

    Args:
        tries: requests for one ticker before it counts as failed.
        first_wait: before the second try; each further wait is twice as long, plus jitter.
        longest_wait: cap of that.
        spacing: between two requests, over all workers.
        pauses: shared pauses after "too many requests" before the whole fetch gives up.
        first_pause: length of the first; each further one is twice as long, plus jitter.
        longest_pause: cap of that.
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


class Pace:
    """Shared by all workers of one fetch.

    Args:
        say: told of each pause, in a sentence.
    """

    def __init__(self, patience: Patience, say: Callable[[str], None]) -> None:
        self._patience = patience
        self._say = say
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._free_at = 0.0
        self._paused_at = -1.0
        self._pauses = 0
        self._unreached = 0
        self._refusal: YahooError | None = None

    def turn(self) -> float:
        """Wait until a request may go, and give the time at which it does.

        Raises:
            YahooError: there will be no further request: Yahoo cannot be reached, or it keeps refusing.
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
                    self._free_at = now + self._patience.spacing
                    return now
                wait = self._free_at - now
            self.rest(wait)

    def rest(self, seconds: float) -> None:
        """Sleep, but not past the end of the fetch."""
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End every waiting."""
        self._stopped.set()

    def worked(self) -> None:
        """An answer came: forget earlier refusals."""
        with self._lock:
            self._pauses = self._unreached = 0

    def limited(self, began: float, fault: YahooError) -> None:
        """A request that began then was one too many: pause everyone."""
        with self._lock:
            if began <= self._paused_at:
                return  # it was under way before the pause, which counts once
            self._pauses += 1
            if self._pauses > self._patience.pauses:
                self._refusal = fault.for_good()
                return
            self._paused_at = time.monotonic()
            wait = _grown(self._patience.first_pause, self._pauses, self._patience.longest_pause)
            self._free_at = self._paused_at + wait
            number = self._pauses
        self._say(f"Yahoo says: too many requests; all wait {wait:.0f} s (pause {number} of {self._patience.pauses}).")

    def unreached(self, fault: YahooError) -> None:
        """A ticker found no connection in all its tries: after three of them, no further one tries."""
        with self._lock:
            self._unreached += 1
            if self._unreached >= 3:
                self._refusal = fault.for_good()


def _grown(first: float, number: int, cap: float) -> float:
    """first · 2ⁿ⁻¹ up to the cap, and up to a quarter more, so that many users do not come back at once."""
    return float(min(first * 2 ** (number - 1), cap) * random.uniform(1.0, 1.25))
