"""Distributes the folds of a backtest among worker processes on this machine."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.errors import ForecasterError, InputError, OutsideError, PartialError
from forecaster.walkforward.fold import fit_fold
from forecaster.walkforward.walk import Walk, save_walk

OnProgress = Callable[[int, float], None]
"""Called from several threads with a fold's number and the share done; 1 once its scores are written."""

OnAnswer = Callable[[int, Mapping[str, Any]], None]
"""Called from several threads with a task's number and what its process answers: `share`, 1 once the task is done."""

ERRORS = {kind.exit_code: kind for kind in (ForecasterError, InputError, PartialError, OutsideError)}
"""The error for each exit code that a worker answers."""


@dataclass(frozen=True)
class Work:
    """What worker processes are for.

    Args:
        module: its `main(folder)` answers task numbers, see `worker.serve`; its `begin(folder)` is what does a task.
        task: what a task is called in messages.
    """

    module: str
    task: str


FOLDS = Work("forecaster.walkforward.fold", "fold")


Run = Callable[..., None]
"""Has tasks done by workers, as `in_processes` does, whose arguments it takes."""


@dataclass(frozen=True)
class Engine:
    """Where tasks are done.

    Args:
        count: how many are done at a time; waits until the workers are there.
    """

    run: Run
    count: Callable[[], int]

    def wait_for_workers(self) -> int:
        """How many tasks are done at a time; an engine that cannot start raises its error here."""
        return self.count()

    @property
    def is_here(self) -> bool:
        """Whether its workers are processes of this machine, and dead once `run` has ended, whatever the end."""
        return self.run is in_processes

    def is_alone(self, tasks: int) -> bool:
        """Whether one process on this machine does so many tasks: then it can be this one."""
        return self.is_here and min(self.wait_for_workers(), tasks) < 2


def fit_folds(
    walk: Walk,
    numbers: Sequence[int],
    engine: Engine,
    on_progress: OnProgress,
    *,
    free: Callable[[int], bool] = lambda _: True,
    is_saved: bool = False,
) -> None:
    """Fits folds in worker processes, each of which takes the next fold as soon as it is free.

    An interrupt, or the error of one worker, ends them all at once; finished folds are kept.

    Args:
        free: claims a fold for this backtest; False if another one fits it.
        is_saved: whether another backtest has written the files of the walk.

    Raises:
        ForecasterError: the error that a fold raised, with its exit code; or a bug in it.
        OutsideError: a worker was killed.
    """
    if not is_saved:
        save_walk(walk)

    def on_answer(number: int, answer: Mapping[str, Any]) -> None:
        on_progress(number, answer["share"])

    try:
        engine.run(FOLDS, walk.folder, numbers, engine.wait_for_workers(), on_answer, free=free)
    except NotStartedError:
        _fit_here(walk, numbers, on_progress, free)


def in_processes(
    work: Work,
    folder: Path,
    numbers: Sequence[int],
    workers: int,
    on_answer: OnAnswer,
    more: Callable[[], bool] = lambda: True,
    free: Callable[[int], bool] = lambda _: True,
) -> None:
    """Has tasks done in worker processes, as `fit_folds` does.

    Args:
        folder: what the tasks need, and where the processes' logs go.
        more: whether another task may begin.
        free: whether a task is still to be done, asked just before it begins.

    Raises:
        NotStartedError: no process can be started.
        ForecasterError, OutsideError: as `fit_folds`.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in numbers:
        waiting.put(number)
    started: list[_Worker] = []
    with ThreadPoolExecutor(workers) as pool:
        try:
            for place in range(min(workers, len(numbers))):
                started.append(_Worker(work, folder, place))
            for done in as_completed([pool.submit(worker.serve, waiting, on_answer, more, free) for worker in started]):
                done.result()
        finally:
            for worker in started:
                worker.end()


def _fit_here(walk: Walk, numbers: Sequence[int], on_progress: OnProgress, free: Callable[[int], bool]) -> None:
    """Fits folds one after the other in this process, if no worker can be started (no permission in a container)."""
    for number in filter(free, numbers):
        fit_fold(walk, number, cores=1)
        on_progress(number, 1.0)


class NotStartedError(Exception):
    """A worker process cannot be started."""


_START = """
import importlib.util, signal, sys
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, signal.SIG_IGN)
package = importlib.util.spec_from_file_location("forecaster", sys.argv[1] + "/__init__.py")
sys.modules["forecaster"] = importlib.util.module_from_spec(package)
package.loader.exec_module(sys.modules["forecaster"])
from importlib import import_module
import_module(sys.argv[2]).main(sys.argv[3])
"""
"""Loads the parent's own copy of the package by path, without changing sys.path.

Interrupts are the parent's: Slurm and systemd signal every process of a job, and a worker that died of it would be
reported as killed before the parent ends in order. Workers end with the parent, at EOF.
"""


class _Worker:
    """A process that does tasks, one at a time; its stderr goes to a log file in the folder."""

    def __init__(self, work: Work, folder: Path, place: int) -> None:
        self._task = work.task
        self._log = folder / f"worker-{place}.log"
        with self._log.open("wb") as log:
            # -P: never import from the current folder, which is the user's. (-I would also ignore PYTHONPATH and
            # packages installed for one user.)
            own = str(Path(__file__).parents[1])
            command = [sys.executable, "-P", "-c", _START, own, work.module, str(folder)]
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
                raise NotStartedError from error

    def serve(
        self,
        waiting: queue.SimpleQueue[int],
        on_answer: OnAnswer,
        more: Callable[[], bool],
        free: Callable[[int], bool],
    ) -> None:
        while more():
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            if free(number):
                self._do(number, on_answer)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _do(self, number: int, on_answer: OnAnswer) -> None:
        answer = self._ask(number)
        while answer.get("share", 1) < 1:
            on_answer(number, answer)
            answer = self._next()
        if not answer:
            raise self._ended(number)
        if "error" in answer:
            raise ERRORS[answer["code"]](answer["error"])
        on_answer(number, answer)

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
        kept = f"finished {self._task}s are kept: run the same command again to continue"
        code, name = self._process.wait(), f"{self._task} {number + 1}"
        if code < 0:
            less = "with fewer --workers if memory is short"
            return OutsideError(f"{name}: its process was killed (signal {-code}); {kept}, {less}.")
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [f"exit code {code}"]
        return ForecasterError(f"{name}: this is a bug: {lines[-1]}; {kept}. Its traceback: {self._log}")
