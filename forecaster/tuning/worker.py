"""A worker process of a search: takes the next trial of the study in a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.memory import tuned_allocator
from forecaster.tuning.journal import join
from forecaster.tuning.objective import run_trial
from forecaster.tuning.search import Search, load_search
from forecaster.walkforward.worker import Answer, Shares, serve

if TYPE_CHECKING:
    from optuna import Study


@tuned_allocator()
def main(place: str) -> None:
    """Runs a trial for each number requested on stdin, until the parent closes the pipe or ends."""
    serve(partial(begin, Path(place)))


def begin(folder: Path) -> Callable[[int, Answer], None]:
    """Joins the search in a folder; what runs one of its trials by number."""
    search = load_search(folder)
    return partial(_answer, search, join(search))


def _answer(search: Search, study: Study, number: int, answer: Answer) -> None:
    run_trial(search, study, number, Shares(answer))
    answer(share=1.0)
