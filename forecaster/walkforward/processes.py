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
from typing import Any

from forecaster.errors import ForecasterError, InputError, OutsideError, PartialError
from forecaster.walkforward.fold import fit_fold
from forecaster.walkforward.walk import Walk, save_walk

Reached = Callable[[int, float], None]
"""Called from several threads with a fold's number and how much of it is done; 1 once its scores are written."""

_ERRORS = {kind.exit_code: kind for kind in (ForecasterError, InputError, PartialError, OutsideError)}


def fit_folds(walk: Walk, numbers: Sequence[int], workers: int, reached: Reached) -> None:
    """Fit folds in processes of their own, each taking the next one as soon as it is free.

    An interrupt, or the error of one, ends them all at once; folds that are finished are kept.

    Raises:
        ForecasterError: what a fold raised, with its exit code; or a fault of ours in it.
        OutsideError: a process was killed.
    """
    save_walk(walk)
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        waiting.put(number)
    crew: list[_Worker] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for place in range(min(workers, len(numbers))):
                crew.append(_Worker(walk.folder, place))
            for done in as_completed([pool.submit(worker.serve, waiting, reached) for worker in crew]):
                done.result()
        except _NotStartedError:
            _fit_here(walk, numbers, reached)
        finally:
            for worker in crew:
                worker.end()


def _fit_here(walk: Walk, numbers: Sequence[int], reached: Reached) -> None:
    """One after the other in this process: the interpreter may lie where a container's user id cannot start it."""
    for number in numbers:
        fit_fold(walk, number, cores=1)
        reached(number, 1.0)


class _NotStartedError(Exception):
    """The system starts no further process."""


_START = """
import importlib.util, sys
package = importlib.util.spec_from_file_location("forecaster", sys.argv[1] + "/__init__.py")
sys.modules["forecaster"] = importlib.util.module_from_spec(package)
package.loader.exec_module(sys.modules["forecaster"])
from forecaster.walkforward.fold import main
main(sys.argv[2])
"""
"""Loads the package that the parent runs from where it lies, without a folder more to import from."""


class _Worker:
    """A process that fits folds, one at a time; what it complains of goes to a file in the folder."""

    def __init__(self, folder: Path, place: int) -> None:
        self._log = folder / f"worker-{place}.log"
        with self._log.open("wb") as log:
            # -P: nothing is imported from the present folder, which is the user's. (-I would leave out PYTHONPATH and
            # what is installed for one user alone.)
            command = [sys.executable, "-P", "-c", _START, str(Path(__file__).parents[1]), str(folder)]
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env={"OMP_NUM_THREADS": "1"} | os.environ,
                    start_new_session=True,  # an interrupt is the parent's to hand on
                )
            except OSError as error:
                raise _NotStartedError from error

    def serve(self, waiting: queue.SimpleQueue[int], reached: Reached) -> None:
        while True:
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            self._fit(number, reached)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _fit(self, number: int, reached: Reached) -> None:
        answer = self._ask(number)
        while answer.get("share", 1) < 1:
            reached(number, answer["share"])
            answer = self._next()
        if not answer:
            raise self._ended(number)
        if "error" in answer:
            raise _ERRORS[answer["code"]](answer["error"])
        reached(number, 1.0)

    def _ask(self, number: int) -> dict[str, Any]:
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return {}
        return self._next()

    def _next(self) -> dict[str, Any]:
        """Its next line; empty once it has ended."""
        assert self._process.stdout
        try:
            line = self._process.stdout.readline()
        except (OSError, ValueError):
            return {}
        return dict(json.loads(line)) if line.endswith("\n") else {}

    def _ended(self, number: int) -> ForecasterError:
        code, kept = self._process.wait(), "finished folds are kept: run the same command again to go on"
        if code < 0:
            less = "with fewer --workers where memory is short"
            return OutsideError(f"fold {number + 1}: its process was killed (signal {-code}); {kept}, {less}.")
        said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [f"exit code {code}"]
        return ForecasterError(f"fold {number + 1}: this is a bug: {said[-1]}; {kept}. Its traceback: {self._log}")
