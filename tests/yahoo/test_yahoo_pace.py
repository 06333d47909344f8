"""One rhythm and one pause for all workers."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from forecaster.data.sources.yahoo.faults import YahooError, too_many
from forecaster.data.sources.yahoo.pacing import RateLimiter, RetrySettings, StoppedError
from tests.studio import eventually
from tests.yahoo.kit import Kit
from tests.yahoo.server import YahooServer, held


def test_requests_of_all_workers_keep_their_distance() -> None:
    pace = RateLimiter(RetrySettings(spacing=0.03), lambda _: None)
    times: list[float] = []
    threads = [threading.Thread(target=lambda: times.extend(pace.acquire() for _ in range(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    assert len(times) == 12
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.03


def test_refusals_of_one_moment_are_one_pause() -> None:
    said: list[str] = []
    pace = RateLimiter(RetrySettings(spacing=0.0, first_pause=0.05, pauses=1), said.append)
    began = [pace.acquire() for _ in range(4)]
    for moment in began:
        pace.rate_limited(moment, too_many())
    assert len(said) == 1
    assert pace.acquire() - max(began) >= 0.05
    pace.rate_limited(pace.acquire(), too_many())
    with pytest.raises(YahooError, match="HTTP 429"):
        pace.acquire()


def test_an_answer_ends_the_counting_of_pauses() -> None:
    pace = RateLimiter(RetrySettings(spacing=0.0, first_pause=0.001, pauses=1), lambda _: None)
    for _ in range(5):
        pace.rate_limited(pace.acquire(), too_many())
        pace.succeeded()
    pace.acquire()


def test_a_stop_ends_a_pause_at_once() -> None:
    pace = RateLimiter(RetrySettings(first_pause=300.0), lambda _: None)
    pace.rate_limited(pace.acquire(), too_many())
    threading.Timer(0.05, pace.stop).start()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        pace.acquire()
    assert time.monotonic() - started < 150


def test_no_more_workers_ask_at_once_than_were_wished_for(kit: Kit, server: YahooServer) -> None:
    for workers in (1, 3):

        def wait(workers: int = workers) -> None:
            """Until so many are under way, and then for one more that should not be."""
            eventually(lambda: server.most_at_once >= workers)
            time.sleep(0.1)

        server.most_at_once = 0
        server.fail("*", held(wait))
        kit.fetch("AAPL", "IBM", "MSFT", "GOOG", workers=workers)
        assert server.most_at_once == workers


def test_a_consumer_that_leaves_stops_the_workers(kit: Kit, server: YahooServer) -> None:
    from forecaster.data.sources import Order, SourceOptions

    left = threading.Event()
    server.fail("*", held(lambda: server.requests() == 1 or left.wait(120)))  # the second answer waits for the end
    stream = kit.source(SourceOptions(workers=1)).deliver(Order(tuple(server.listings), lambda _: None))
    next(stream)
    stream.close()
    left.set()
    time.sleep(0.4)  # for a third request, which should not come
    assert server.requests() <= 2 < len(server.listings)
