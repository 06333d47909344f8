"""One fold of a walk forward: fit on what is known, score the sessions that follow.

`main` makes a process do so for each number that it is given, a line each on standard input; it answers each with lines
of JSON: how much of it is done, and at last that it is, or an error.
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
from forecaster.walkforward.walk import Walk, load_walk, save_scores

_TELL_EVERY = 0.2
"""Seconds between two words of how much is done."""


def fit_fold(
    walk: Walk, number: int, *, say: Say = lambda _: None, tick: Tick = lambda *_: None, cores: int | None = None
) -> None:
    """Fit and score a fold, and leave its scores in a file; an interrupted one goes on from its checkpoints.

    Args:
        cores: for members that train side by side; all if absent.
    """
    from forecaster.training.members import Job, learn

    place = walk.place(number)
    with outside_errors(place):
        place.mkdir(parents=True, exist_ok=True)
    learnt = learn(Job(walk.fold(number), place, say, tick, cores))
    save_scores(walk.scores(number), _scores(learnt.members, walk, number))


def _scores(members: Sequence[Member], walk: Walk, number: int) -> dict[str, Scores]:
    """Scores at the fold's origins; an outcome may lie in a later fold, which only the next fit may learn from."""
    trial, rows = walk.fold(number), walk.whole.test_rows
    rows = rows[trial.test.holds(trial.panel.sessions[rows])]
    found = forecasters(members, trial, rows)
    return score_all(found, trial.dataset, rows, walk.whole.test, trial.levels)


@dataclass
class _Share:
    """Tells how much of a fold is learnt; its members learn one after the other, for as many steps each."""

    networks: int
    answer: Callable[..., None]
    member: int = 0
    last: int = 0
    told: float = 0.0

    def tick(self, step: int, steps: int, *_: float | None) -> None:
        self.member += step < self.last
        self.last = step
        if (now := time.monotonic()) - self.told >= _TELL_EVERY:
            self.told = now
            self.answer(share=min((self.member + step / steps) / self.networks, 0.999))


def main(place: str) -> None:
    """Serve the process that asks, until it closes the pipe or ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a plugin prints is no answer

    def answer(**words: object) -> None:
        answers.write(f"{json.dumps(words)}\n")
        answers.flush()

    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(numbers,), daemon=True).start()
    walk = load_walk(Path(place))
    networks = sum(model.name not in BASELINES for model in walk.whole.config.networks)
    while True:
        number = numbers.get()
        try:
            fit_fold(walk, number, tick=_Share(networks, answer).tick, cores=1)
        except ForecasterError as error:
            answer(error=str(error), code=error.exit_code)
        else:
            answer(share=1.0)


def _listen(numbers: queue.SimpleQueue[int]) -> None:
    """Take what is asked; where nobody asks any more, not even a killed parent, the fold at work is in vain."""
    for line in sys.stdin:
        numbers.put(int(line))
    os._exit(0)
