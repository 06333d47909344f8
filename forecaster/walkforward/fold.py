"""One fold of a walk-forward evaluation: fit on the past, score the sessions that follow.

`main` is a worker process. It reads fold numbers from stdin, one per line, and answers each with lines of JSON: the
share done so far, then `{"share": 1.0}` or an error.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.baselines import BASELINES
from forecaster.errors import ForecasterError
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.scores import Scores, score_all
from forecaster.events import Say, Tick
from forecaster.files import outside_errors
from forecaster.inference.ensemble import Member
from forecaster.mapped import large_arrays_in
from forecaster.memory import tuned_allocator
from forecaster.runs.initial import initial_of
from forecaster.walkforward.walk import Walk, load_walk, save_scores

_REPORT_EVERY = 0.2
"""Seconds between two progress reports."""


def fit_fold(
    walk: Walk, number: int, *, say: Say = lambda _: None, tick: Tick = lambda *_: None, cores: int | None = None
) -> None:
    """Fits and scores a fold, and writes its scores to a file; an interrupted fold resumes from its checkpoints.

    Args:
        cores: for members that train in parallel; all if absent.
    """
    from forecaster.training.members import Job, learn

    place = walk.place(number)
    with outside_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    trial = walk.fold(number)
    init = initial_of(trial, walk.folder.parent, trial.split.validation_end)
    with large_arrays_in(walk.folder):
        result = learn(Job(trial, place, say, tick, cores, init))
        save_scores(walk.scores(number), _scores(result.members, walk, number))


def _scores(members: Sequence[Member], walk: Walk, number: int) -> dict[str, Scores]:
    """Scores at the fold's origins; outcomes may lie in a later fold, which only later fits may learn from."""
    trial, rows = walk.fold(number), walk.whole.test_rows
    rows = rows[trial.test.holds(trial.panel.sessions[rows])]
    compared = forecasters(members, trial, rows)
    return score_all(compared, trial.dataset, rows, walk.whole.test, trial.levels)


@dataclass
class _Progress:
    """Reports the share of a fold that is trained; its members train one after the other, for equally many steps."""

    networks: int
    answer: Callable[..., None]
    member: int = 0
    last: int = 0
    reported: float = 0.0

    def tick(self, step: int, steps: int, *_: float | None) -> None:
        self.member += step < self.last
        self.last = step
        if (now := time.monotonic()) - self.reported >= _REPORT_EVERY:
            self.reported = now
            self.answer(share=min((self.member + step / steps) / self.networks, 0.999))


@tuned_allocator()
def main(place: str) -> None:
    """Worker process: fits the folds requested on stdin until the parent closes the pipe or ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a plugin's output must not mix with the answers

    def answer(**values: object) -> None:
        answers.write(f"{json.dumps(values)}\n")
        answers.flush()

    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(numbers,), daemon=True).start()
    walk = load_walk(Path(place))
    networks = sum(model.name not in BASELINES for model in walk.whole.config.networks)
    while True:
        number = numbers.get()
        try:
            fit_fold(walk, number, tick=_Progress(networks, answer).tick, cores=1)
        except ForecasterError as error:
            answer(error=str(error), code=error.exit_code)
        else:
            answer(share=1.0)


def _listen(numbers: queue.SimpleQueue[int]) -> None:
    """Reads fold numbers from stdin; exits at EOF (the parent is gone)."""
    for line in sys.stdin:
        numbers.put(int(line))
    os._exit(0)
