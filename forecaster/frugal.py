"""Under a limit of address space (`ulimit -v`): libraries that reserve less of it, and a floor below which none starts.

OpenBLAS, Arrow and glibc each reserve tens of megabytes a thread, and more than they use. Where that is refused they
end the process, raise SIGINT or try again for ever, so that no error handler is reached.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from forecaster.errors import OutsideError

TIGHT = 4 << 30
"""Bytes of address space below which libraries are told to reserve less."""

LEAST, LEAST_TO_LEARN = 384 << 20, 1 << 30
"""Bytes of address space that numpy and Arrow need (350 MB were measured), and torch and scipy with them (960 MB)."""

_GROUPS = frozenset({"runs", "data", "config"})
"""Commands whose second word is a command too."""

_LEARNING = frozenset({"train", "backtest", "tune", "report", "models", "doctor", "runs reproduce", "config check"})
"""Commands that load torch."""

_M_ARENA_MAX = -8
"""Parameter number of glibc's `mallopt(3)`: heaps, of which each thread else reserves one of its own."""


def limit() -> int | None:
    """Bytes of address space that this process may have; None without a limit."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    kind = getattr(resource, "RLIMIT_AS", None)  # some systems limit no address space
    if kind is None:
        return None
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft


def requirement(words: Sequence[str]) -> tuple[str, int]:
    """The command of a command line, and the bytes of address space that its libraries need to start."""
    command = " ".join(words[:2] if words[0] in _GROUPS else words[:1])
    return command, LEAST_TO_LEARN if command in _LEARNING else LEAST


def require_address_space(words: Sequence[str]) -> None:
    """Has libraries reserve less where there is a tight limit; called before they are imported.

    Args:
        words: of the command line, at least one.

    Raises:
        OutsideError: the limit is below what the command's libraries need to start.
    """
    allowed = limit()
    if allowed is None or allowed >= TIGHT:
        return
    command, least = requirement(words)
    if allowed < least:
        raise OutsideError(
            f"the limit of memory (ulimit -v) is {allowed >> 10:,} KB, but forecast {command} needs "
            f"{least >> 10:,} KB to start: raise it."
        )
    import ctypes

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
