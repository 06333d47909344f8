"""glibc allocator settings (`mallopt`): keep freed blocks mapped between training steps."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Parameter numbers of glibc's `mallopt(3)`."""

_DEFAULT_MMAP_MAX = 65_536
"""glibc's default for the number of blocks allocated with `mmap` at the same time."""

_KEEP_FREE = 2**30
"""Free bytes at the top of the heap before it is trimmed."""

_LARGE = 2**20
"""Once memory matters more than time: bytes from which a block gets its own `mmap`, so that freeing it returns it."""


_DEFAULT_THRESHOLD = 128 * 2**10
"""glibc's default for both thresholds, in bytes."""

_active = 0
"""How many `tuned_allocator` contexts are open."""


@contextlib.contextmanager
def tuned_allocator() -> Iterator[None]:
    """Allow the settings below inside, and restore glibc's defaults at the end: they are the caller's process's.

    Opened at the edge, by `train`, `backtest` and what scores a run again. It may be nested and used as a decorator.
    """
    global _active
    _active += 1
    try:
        yield
    finally:
        _active -= 1
        if not _active:
            _set(_MMAP_MAX, _DEFAULT_MMAP_MAX)
            _set(_TRIM_THRESHOLD, _DEFAULT_THRESHOLD)
            _set(_MMAP_THRESHOLD, _DEFAULT_THRESHOLD)


def keep_large_blocks() -> bool:
    """Let the allocator reuse large blocks: an LSTM training step is 1.5 times as fast.

    By default every block of a few megabytes is mapped, faulted in page by page, and unmapped again in every step.
    Raising `M_MMAP_THRESHOLD` is not enough: glibc caps it at 32 MiB, below an LSTM's largest blocks.

    Returns:
        Whether it was set: in a `tuned_allocator`, by a C library that supports it.
    """
    # No block of any size gets its own mapping, and the heap keeps what is freed.
    return bool(_active) and _set(_MMAP_MAX, 0) and _set(_TRIM_THRESHOLD, _KEEP_FREE)


def release_memory() -> None:
    """Undo `keep_large_blocks`: trim the heap, and from now on unmap large blocks as soon as they are freed.

    The blocks kept for training steps do not help what follows, which allocates tables of many sizes.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if _active else None
    if trim is not None and _set(_MMAP_MAX, _DEFAULT_MMAP_MAX) and _set(_MMAP_THRESHOLD, _LARGE):
        trim(0)


def _set(option: int, value: int) -> bool:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(option, value))
