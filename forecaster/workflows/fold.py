"""One fold of a walk forward: fit on what is known, score the sessions that follow.

`python -m forecaster.workflows.fold FOLDER` is a process that does so for each number that it is given, a line each on
standard input; it answers each with a line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from forecaster.errors import ForecasterError
from forecaster.evaluation.scores import Scores, score
from forecaster.inference.ensemble import Member
from forecaster.workflows.evaluate import forecasters
from forecaster.workflows.foldfiles import Walk, save_scores, taken_over
from forecaster.workflows.prepare import Say
from forecaster.workflows.train import Tick


def fit_fold(
    walk: Walk, number: int, *, say: Say = lambda _: None, tick: Tick = lambda *_: None, cores: int | None = None
) -> None:
    """Fit and score a fold, and leave its scores in a file; an interrupted one goes on from its checkpoints.

    Args:
        cores: for members that train side by side; all if absent.
    """
    from forecaster.workflows.learn import Job, evaluated_periods, learn

    place = walk.place(number)
    place.mkdir(parents=True, exist_ok=True)
    period, validation = evaluated_periods(walk.config, walk.folds[number])
    learnt = learn(Job(walk.config, walk.dataset, place, say, tick, cores), period, validation=validation)
    save_scores(walk.scores(number), _scores(learnt.members, walk, number))


def _scores(members: Sequence[Member], walk: Walk, number: int) -> dict[str, Scores]:
    """Scores at the fold's origins; an outcome may lie in a later fold, which only the next fit may learn from."""
    config, dataset, fold = walk.config, walk.dataset, walk.folds[number]
    rows = dataset.require_origins(walk.whole.test, config.task.context)
    sessions = dataset.panel.sessions[rows]
    rows = rows[(sessions > fold.validation_end) & (sessions <= fold.test_end)]
    return {
        name: score(one, dataset, rows, walk.whole.test, config.task.levels)
        for name, one in forecasters(members, config, dataset, fold, rows).items()
    }


def main(folder: Path) -> None:
    """Serve the process that asks, until it closes the pipe."""
    walk = taken_over(folder)
    for line in sys.stdin:
        answer: dict[str, object] = {"fold": int(line)}
        try:
            fit_fold(walk, int(line), cores=1)
        except ForecasterError as error:
            answer |= {"error": str(error), "code": error.exit_code}
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
