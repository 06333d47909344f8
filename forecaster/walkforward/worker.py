"""A worker process: does numbered tasks for a parent, and answers how far it is.

It reads task numbers from stdin, one per line, and answers each with lines of JSON: the share done so far, then
`{"share": 1.0}` or an error.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from forecaster.errors import ForecasterError

Answer = Callable[..., None]
"""Writes a line of JSON with these keys."""

_REPORT_EVERY = 0.2
"""Seconds between two progress reports."""


@dataclass
class Shares:
    """Answers how much of a task is done, a few times a second at most."""

    answer: Answer
    reported: float = 0.0

    def __call__(self, share: float) -> None:
        if (now := time.monotonic()) - self.reported >= _REPORT_EVERY:
            self.reported = now
            self.answer(share=min(share, 0.999))


@dataclass
class Progress:
    """Reports the share of a task that is trained; its members train one after the other, for equally many steps."""

    networks: int
    on_share: Callable[[float], None]
    member: int = 0
    last: int = 0

    def tick(self, step: int, steps: int, *_: float | None) -> None:
        self.member += step < self.last
        self.last = step
        self.on_share((self.member + step / steps) / self.networks)


def serve(begin: Callable[[], Callable[[int, Answer], None]]) -> None:
    """Does the tasks requested on stdin until the parent closes the pipe or ends.

    Args:
        begin: loads what tasks need, and returns what does one by its number, which ends with `answer(share=1.0)`.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a plugin's output must not mix with the answers

    def answer(**values: object) -> None:
        answers.write(f"{json.dumps(values)}\n")
        answers.flush()

    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(numbers,), daemon=True).start()
    do: Callable[[int, Answer], None] | None = None
    while True:
        number = numbers.get()
        try:
            do = do or begin()  # here, so that what cannot be loaded is answered as an error
            do(number, answer)
        except ForecasterError as error:
            answer(error=str(error), code=error.exit_code)


def _listen(numbers: queue.SimpleQueue[int]) -> None:
    """Reads task numbers from stdin; exits at EOF (the parent is gone)."""
    for line in sys.stdin:
        numbers.put(int(line))
    os._exit(0)
