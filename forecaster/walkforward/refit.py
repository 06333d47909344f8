"""Fits the folds of a backtest that nobody has fitted yet, and joins the scores of all."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forecaster.evaluation.scores import Scores
from forecaster.events import Say, Tick
from forecaster.walkforward.claims import Claims, alone, claims
from forecaster.walkforward.fold import fit_fold
from forecaster.walkforward.processes import Engine, fit_folds
from forecaster.walkforward.walk import Walk, is_saved, load_scores, unfinished

_LOOK_AGAIN = 0.5
"""Seconds until a backtest looks again whether another process has finished its fold."""


@dataclass(frozen=True)
class ProgressCallbacks:
    """Callbacks that a backtest reports its progress to; see `workflows.backtest.backtest`."""

    say: Say
    tick: Tick
    fold: Callable[[int, int], None]
    folds: Callable[[float, int], None]


@dataclass(frozen=True)
class Part:
    """What one worker did for a backtest that others still work on.

    Args:
        fitted: the folds that it fitted, counted from 1.
        folds: how many there are.
        running: the folds of others, and `HOST:PID` of each; None where it has just ended.
    """

    fitted: tuple[int, ...]
    folds: int
    running: dict[int, str | None]

    def __repr__(self) -> str:
        own = f"{_count(len(self.fitted))} of {self.folds} fitted here"
        others = ", ".join(f"{number} by {who or 'a process that has ended'}" for number, who in self.running.items())
        return f"{own}; still being fitted: fold {others}; the last worker prints the result."


def refitted(walk: Walk, engine: Engine, progress: ProgressCallbacks) -> dict[str, Scores]:
    """Joined scores of all folds; folds that another backtest finished are reused.

    A fold that another process is fitting is waited for, and taken over if that process dies.
    """
    with claims(walk.folder) as own:
        waited = False
        while waiting := unfinished(walk):
            free = [number for number in waiting if own.holder(number) is None]
            if free:
                _fit(walk, free, engine, progress, own)
            elif not waited:
                waited = True
                progress.say(f"waiting for {_count(len(waiting))} of another process: {own.holder(waiting[0])}")
            else:
                time.sleep(_LOOK_AGAIN)
        scores = joined(walk)
        with alone(own) as last:
            if last:
                shutil.rmtree(walk.folder, ignore_errors=True)
    return scores


def fit_free(walk: Walk, progress: ProgressCallbacks) -> dict[str, Scores] | Part:
    """Fits one fold after the other that no process works on; the joined scores once no fold is missing.

    The folds stay in the folder, so that a worker that is started too late finds them.
    """
    fitted: list[int] = []
    with claims(walk.folder) as own:
        while (number := _next(walk, own)) is not None:
            _fit_one(walk, number, progress, own)
            fitted.append(number + 1)
        if waiting := unfinished(walk):
            running = {number + 1: own.holder(number) for number in waiting}
            return Part(tuple(fitted), len(walk.folds), running)
        return joined(walk)


def joined(walk: Walk) -> dict[str, Scores]:
    """The scores of all folds as if they were one."""
    parts = [load_scores(walk.scores(number)) for number in range(len(walk.folds))]
    return {name: Scores.joined([part[name] for part in parts]) for name in parts[0]}


def _next(walk: Walk, own: Claims) -> int | None:
    """A fold that is now this process's; None if there is none left to take."""
    return next((number for number in unfinished(walk) if _take(walk, number, own)), None)


def _take(walk: Walk, number: int, own: Claims) -> bool:
    """Claims a fold; not if another process has finished it in the meantime."""
    if not own.take(number):
        return False
    if walk.scores(number).is_file():
        own.release(number)
        return False
    return True


def _fit(walk: Walk, waiting: Sequence[int], engine: Engine, progress: ProgressCallbacks, own: Claims) -> None:
    if engine.is_alone(len(waiting)):
        for number in waiting:
            if _take(walk, number, own):
                _fit_one(walk, number, progress, own)
        return
    progress.say(f"{_count(len(waiting))}, {min(engine.wait_for_workers(), len(waiting))} at a time")
    _in_parallel(walk, waiting, engine, progress, own)


def _fit_one(walk: Walk, number: int, progress: ProgressCallbacks, own: Claims) -> None:
    total = len(walk.folds)
    progress.fold(number + 1, total)
    progress.say(f"fold {number + 1} of {total}: {_describe(walk, number)}")
    fit_fold(walk, number, say=progress.say, tick=progress.tick)
    own.release(number)


def _in_parallel(walk: Walk, waiting: Sequence[int], engine: Engine, progress: ProgressCallbacks, own: Claims) -> None:
    lock, total = threading.Lock(), len(walk.folds)
    shares = [0.0 if number in waiting else 1.0 for number in range(total)]

    def on_progress(number: int, share: float) -> None:
        with lock:
            shares[number] = share
            if share == 1:
                own.release(number)
                progress.say(f"fold {number + 1} of {total} is done: {_describe(walk, number)}")
            progress.folds(sum(shares), total)

    progress.folds(sum(shares), total)
    shared = own.others() and is_saved(walk)  # what another one maps into its memory is not replaced
    fit_folds(walk, waiting, engine, on_progress, free=lambda number: _take(walk, number, own), is_saved=shared)


def _count(folds: int) -> str:
    return f"{folds} fold{'' if folds == 1 else 's'}"


def _describe(walk: Walk, number: int) -> str:
    period = walk.fold(number).fitted
    return f"trains on candles {period}, tests to {walk.folds[number].test_end}"
