"""Folds shared out among processes of this machine."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from forecaster.errors import InputError, OutsideError
from forecaster.workflows.foldfiles import Walk, hand_over


def cores() -> int:
    """Processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def fit_folds(walk: Walk, numbers: Sequence[int], workers: int, finished: Callable[[int], None]) -> None:
    """Fit folds in processes of their own, each taking the next one as soon as it is free.

    An interrupt, or the error of one, ends them all at once; folds that are finished are kept.

    Args:
        finished: called with each fold's number, from several threads.

    Raises:
        InputError, OutsideError: what a fold raised, or a process that ended by itself.
    """
    hand_over(walk)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        waiting.put(number)
    crew = [_Worker(walk.folder, place) for place in range(min(workers, len(numbers)))]
    with ThreadPoolExecutor(len(crew)) as pool:
        try:
            for done in as_completed([pool.submit(worker.serve, waiting, finished) for worker in crew]):
                done.result()
        finally:
            for worker in crew:
                worker.end()


class _Worker:
    """A process that fits folds, one at a time; what it complains of goes to a file in the folder."""

    def __init__(self, folder: Path, place: int) -> None:
        self._log = folder / f"worker-{place}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "forecaster.workflows.fold", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={"OMP_NUM_THREADS": "1"} | os.environ,
                start_new_session=True,  # an interrupt is the parent's to hand on
            )

    def serve(self, waiting: queue.SimpleQueue[int], finished: Callable[[int], None]) -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            self._fit(number)
            finished(number)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _fit(self, number: int) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        if not line:
            raise OutsideError(
                f"fold {number + 1}: its process ended ({self._ending()}); finished folds are kept: run the same "
                f"command again to go on, with fewer --workers where memory is short. What it said: {self._log}"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise (OutsideError if answer["code"] == OutsideError.exit_code else InputError)(answer["error"])

    def _ending(self) -> str:
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"
