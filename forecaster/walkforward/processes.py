"""Distributes the folds of a backtest among worker processes on this machine."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from forecaster.errors import ForecasterError, InputError, OutsideError, PartialError
from forecaster.walkforward.fold import fit_fold
from forecaster.walkforward.walk import Walk, save_walk

OnProgress = Callable[[int, float], None]
"""Called from several threads with a fold's number and the share done; 1 once its scores are written."""

_ERRORS = {kind.exit_code: kind for kind in (ForecasterError, InputError, PartialError, OutsideError)}


def fit_folds(walk: Walk, numbers: Sequence[int], workers: int, on_progress: OnProgress) -> None:
    """Fits folds in worker processes, each of which takes the next fold as soon as it is free.

    An interrupt, or the error of one worker, ends them all at once; finished folds are kept.

    Raises:
        ForecasterError: the error that a fold raised, with its exit code; or a bug in it.
        OutsideError: a worker was killed.
    """
    save_walk(walk)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        waiting.put(number)
    started: list[_Worker] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for place in range(min(workers, len(numbers))):
                started.append(_Worker(walk.folder, place))
            for done in as_completed([pool.submit(worker.serve, waiting, on_progress) for worker in started]):
                done.result()
        except _NotStartedError:
            _fit_here(walk, numbers, on_progress)
        finally:
            for worker in started:
                worker.end()


def _fit_here(walk: Walk, numbers: Sequence[int], on_progress: OnProgress) -> None:
    """Fits folds one after the other in this process, if no worker can be started (no permission in a container)."""
    for number in numbers:
        fit_fold(walk, number, cores=1)
        on_progress(number, 1.0)


class _NotStartedError(Exception):
    """A worker process cannot be started."""


_START = """
import importlib.util, sys
package = importlib.util.spec_from_file_location("forecaster", sys.argv[1] + "/__init__.py")
sys.modules["forecaster"] = importlib.util.module_from_spec(package)
package.loader.exec_module(sys.modules["forecaster"])
from forecaster.walkforward.fold import main
main(sys.argv[2])
"""
"""Loads the parent's own copy of the package by path, without changing sys.path."""


class _Worker:
    """A process that fits folds, one at a time; its stderr goes to a log file in the folder."""

    def __init__(self, folder: Path, place: int) -> None:
        self._log = folder / f"worker-{place}.log"
        with self._log.open("wb") as log:
            # -P: never import from the current folder, which is the user's. (-I would also ignore PYTHONPATH and
            # packages installed for one user.)
            command = [sys.executable, "-P", "-c", _START, str(Path(__file__).parents[1]), str(folder)]
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env={"OMP_NUM_THREADS": "1"} | os.environ,
                    start_new_session=True,  # Ctrl-C goes to the parent only, which ends the workers
                )
            except OSError as error:
                raise _NotStartedError from error

    def serve(self, waiting: queue.SimpleQueue[int], on_progress: OnProgress) -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            self._fit(number, on_progress)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _fit(self, number: int, on_progress: OnProgress) -> None:
        answer = self._ask(number)
        while answer.get("share", 1) < 1:
            on_progress(number, answer["share"])
            answer = self._next()
        if not answer:
            raise self._ended(number)
        if "error" in answer:
            raise _ERRORS[answer["code"]](answer["error"])
        on_progress(number, 1.0)

    def _ask(self, number: int) -> dict[str, Any]:
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return {}
        return self._next()

    def _next(self) -> dict[str, Any]:
        """The worker's next answer; empty once it has ended."""
        assert self._process.stdout
        try:
            line = self._process.stdout.readline()
        except (OSError, ValueError):
            return {}
        return dict(json.loads(line)) if line.endswith("\n") else {}

    def _ended(self, number: int) -> ForecasterError:
        code, kept = self._process.wait(), "finished folds are kept: run the same command again to continue"
        if code < 0:
            less = "with fewer --workers if memory is short"
            return OutsideError(f"fold {number + 1}: its process was killed (signal {-code}); {kept}, {less}.")
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [f"exit code {code}"]
        return ForecasterError(f"fold {number + 1}: this is a bug: {lines[-1]}; {kept}. Its traceback: {self._log}")
