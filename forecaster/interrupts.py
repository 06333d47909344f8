"""Ctrl-C and SIGTERM: one orderly end for both, also where a library would swallow it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_in_order() -> None:
    """Makes SIGTERM an interrupt like Ctrl-C: batch systems send it some seconds before they kill.

    So claims and locks are given back at once, instead of after minutes without a sign of life.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Inside, an interrupt waits for the end; then it is raised, whatever the library made of its own errors.

    pandas' reader calls back into Python and takes any exception there for the end of the file: about one Ctrl-C in a
    hundred was lost.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread is interrupted
        yield
        return
    waiting: list[int] = []
    before: dict[signal.Signals, Any] = {}
    try:
        for one in _SIGNALS:
            if (handler := signal.getsignal(one)) is not None:  # a host's own, in C, cannot be put back
                before[one] = handler  # first: an interrupt may come before the next line
                signal.signal(one, lambda number, _: waiting.append(number))
        yield
    finally:
        _restore(before)
        if waiting:
            signal.raise_signal(waiting[0])


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    try:
        for one, handler in handlers.items():
            signal.signal(one, handler)
    finally:  # again: an interrupt may come as soon as the first of them is back
        for one, handler in handlers.items():
            signal.signal(one, handler)
