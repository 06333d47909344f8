"""One fold of a walk-forward evaluation: fit on the past, score the sessions that follow.

`main` is a worker process, see `worker.serve`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from forecaster.baselines import BASELINES
from forecaster.evaluation.evaluate import forecasters
from forecaster.evaluation.scores import Scores, score_all
from forecaster.events import Say, Tick
from forecaster.files import outside_errors
from forecaster.inference.ensemble import Member
from forecaster.mapped import large_arrays_in
from forecaster.memory import tuned_allocator
from forecaster.runs.initial import initial_of
from forecaster.walkforward.walk import Walk, load_walk, save_scores
from forecaster.walkforward.worker import Answer, Progress, Shares, serve


def fit_fold(
    walk: Walk, number: int, *, say: Say = lambda _: None, tick: Tick = lambda *_: None, cores: int | None = None
) -> None:
    """Fits and scores a fold, and writes its scores to a file; an interrupted fold resumes from its checkpoints.

    Args:
        cores: for members that train in parallel; all if absent.
    """
    from forecaster.training.members import learn
    from forecaster.training.networks import Job

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


@tuned_allocator()
def main(place: str) -> None:
    """Worker process: fits the folds requested on stdin until the parent closes the pipe or ends."""
    serve(partial(begin, Path(place)))


def begin(folder: Path) -> Callable[[int, Answer], None]:
    """Loads the walk in a folder; what fits one of its folds by number."""
    walk = load_walk(folder)
    networks = sum(model.name not in BASELINES for model in walk.whole.config.networks)
    return partial(_answer, walk, networks)


def _answer(walk: Walk, networks: int, number: int, answer: Answer) -> None:
    fit_fold(walk, number, tick=Progress(networks, Shares(answer)).tick, cores=1)
    answer(share=1.0)
