"""Memory that the next step needs again is not given back in between."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's `mallopt(3)`."""

_LARGEST_KEPT = 32 * 2**20
"""Bytes; the most that glibc takes as a threshold on 64 bits."""

_FREE_AT_MOST = 2**30
"""Bytes that may lie free at the heap's end before they go back to the system."""


def keep_large_blocks() -> bool:
    """Let the allocator reuse large blocks: a step of an LSTM is 1.3 to 1.7 times as fast, of a GRU 1.1 times.

    By default each block of some megabytes is mapped anew, page by page, and unmapped again in every step.

    Returns:
        Whether this system's C library knows how; elsewhere nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT) and mallopt(_TRIM_THRESHOLD, _FREE_AT_MOST))
