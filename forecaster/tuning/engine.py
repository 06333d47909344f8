"""Where trials run: in this process, in several on this machine, or in a cluster that sees the folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from forecaster.tuning.objective import run_trial
from forecaster.tuning.search import Search
from forecaster.walkforward.processes import Engine, NotStartedError, OnAnswer, Work

if TYPE_CHECKING:
    from optuna import Study

TRIALS = Work("forecaster.tuning.worker", "trial")


def run_trials(
    search: Search, study: Study, numbers: Sequence[int], engine: Engine, on_answer: OnAnswer, more: Callable[[], bool]
) -> None:
    """Runs a trial for each number, several at a time.

    Args:
        on_answer: called with a number and `share`, which is 1 once its trial is in the study.
        more: whether another trial may begin.

    Raises:
        ForecasterError, OutsideError: a trial failed for another reason than its values; finished ones are kept.
    """
    if not engine.is_alone(len(numbers)):
        try:
            engine.run(TRIALS, search.folder, numbers, engine.wait_for_workers(), on_answer, more)
        except NotStartedError:  # no permission in a container
            pass
        else:
            return
    for number in numbers:
        if not more():
            return
        run_trial(search, study, number, lambda share, number=number: on_answer(number, {"share": share}))  # type: ignore[misc]
        on_answer(number, {"share": 1.0})
