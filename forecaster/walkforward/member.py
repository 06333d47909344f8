"""Networks of a training done by an engine's workers: what they share, and what one does.

A task is a network's number. Its result is the network's checkpoint at its last step, in the run's folder: the process
that leads reads it as a resumed training does, and one that is interrupted leaves what any interrupted training leaves.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.errors import ForecasterError
from forecaster.files import read_text, unreadable_errors, write_text
from forecaster.mapped import large_arrays_in
from forecaster.memory import tuned_allocator
from forecaster.runs.initial import initial_of
from forecaster.training.along import learn_one, period_of
from forecaster.training.checkpoint import curve_of
from forecaster.training.files import CurvePoint, shared_candles
from forecaster.training.networks import Job, Order, fingerprint
from forecaster.walkforward.processes import Engine, Work
from forecaster.walkforward.walk import Walk, load_walk, save_walk
from forecaster.walkforward.worker import Answer, Shares, serve

NETWORKS = Work("forecaster.walkforward.member", "network")

_ORDER = "order.json"

_LOOK_AGAIN = 1.0
"""Seconds until the checkpoints are looked at again, to report the steps that are done."""


def train_elsewhere(engine: Engine, job: Job, order: Order) -> None:
    """Has the networks of an order trained by an engine's workers; none that is trained already.

    Raises:
        ForecasterError, OutsideError: the error of a network; the checkpoints of all are kept.
    """
    progress = _Progress(job, order)
    if not (waiting := progress.unfinished()):
        return
    folder = shared_candles(job.folder, order["mark"])
    try:
        save_walk(Walk(folder, job.trial, ()))
        write_text(folder / _ORDER, json.dumps(order))
        progress.begin(min(engine.wait_for_workers(), len(waiting)))
        with _repeated(progress.look):
            engine.run(NETWORKS, folder, waiting, engine.wait_for_workers(), progress.answered)
        progress.look()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Progress:
    """What the checkpoints tell of the networks, whoever trains them: the steps of all are one sum."""

    def __init__(self, job: Job, order: Order) -> None:
        self._job, self._order = job, order
        self._stops: dict[int, int] = dict(order["stops"])
        self._lock, self._reported = threading.Lock(), 0

    def unfinished(self) -> list[int]:
        """The networks that are not at their last step."""
        return [number for number, stop in self._stops.items() if self._step(number) < stop]

    def begin(self, workers: int) -> None:
        """So many are trained at a time."""
        left, total = len(self.unfinished()), len(self._stops)
        trained = f", {total - left} trained already" if left < total else ""
        networks = f"{total} network{'' if total == 1 else 's'}"
        self._job.say(f"training {networks}{trained}, {workers} at a time: {sum(self._stops.values()):,} steps in all")

    def look(self) -> None:
        """Reports the steps that are done."""
        with self._lock:
            done = sum(min(self._step(number), stop) for number, stop in self._stops.items())
            if done > self._reported:
                self._job.tick(done, sum(self._stops.values()), None, None)
                self._reported = done

    def answered(self, number: int, answer: Mapping[str, Any]) -> None:
        """An engine's answer, see `processes.OnAnswer`."""
        if answer["share"] == 1 and (curve := self._curve(number)):
            name, place = self._job.trial.config.networks[number].name, list(self._stops).index(number) + 1
            skill = "" if curve[-1].skill is None else f", validation skill {curve[-1].skill:+.2%}"
            what = f"network {place} of {len(self._stops)} ({name})"
            self._job.say(f"{what} is trained to step {curve[-1].step:,}: loss {curve[-1].loss:.4f}{skill}")

    def _step(self, number: int) -> int:
        curve = self._curve(number)
        return curve[-1].step if curve else 0

    def _curve(self, number: int) -> list[CurvePoint]:
        own = fingerprint(self._job, period_of(self._order), number)
        return curve_of(self._job.checkpoint(self._order, number), own)


@contextlib.contextmanager
def _repeated(look: Callable[[], None]) -> Iterator[None]:
    """Calls a function every second or so while this lasts."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(_LOOK_AGAIN):
            with contextlib.suppress(
                ForecasterError, OSError
            ):  # the worker that needs the file says what is wrong with it
                look()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@tuned_allocator()
def main(place: str) -> None:
    """Worker process: trains the networks requested on stdin until the parent closes the pipe or ends."""
    serve(partial(begin, Path(place)))


def begin(folder: Path) -> Callable[[int, Answer], None]:
    """Loads the candles and the order in a folder; what trains one of its networks by number."""
    trial = load_walk(folder, "candles of the training").whole
    with unreadable_errors(folder):
        order: Order = json.loads(read_text(folder / _ORDER))
    run = folder.parent
    init = initial_of(trial, run.parent, np.datetime64(order["known"], "D"))
    return partial(_answer, Job(trial, run, init=init), order)


def _answer(job: Job, order: Order, number: int, answer: Answer) -> None:
    with large_arrays_in(job.folder):
        learn_one(job, order, number, Shares(answer))
    answer(share=1.0)
