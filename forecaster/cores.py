"""CPU cores, and an ordered parallel map over threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """CPU cores available to this process (its affinity mask)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads() -> int:
    """Threads to use: one per core, at most `OMP_NUM_THREADS` if that is set."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores(), int(wanted)) if wanted.isdecimal() and int(wanted) else cores()


def thread_map(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Map over threads, results in input order; useful because numpy and pyarrow release the GIL.

    At most one item per thread is started ahead of the result being consumed, which bounds memory. After an error, or
    when the consumer stops early, items not yet started are cancelled.
    """
    workers = threads()
    items = list(items)
    if min(workers, len(items)) < 2:
        yield from map(work, items)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) > workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for one in begun:
                one.cancel()
