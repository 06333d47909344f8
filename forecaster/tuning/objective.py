"""One trial: drawn, trained on the training period, and measured on the validation period."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecaster.baselines import BASELINES
from forecaster.errors import InputError
from forecaster.files import atomic_write, outside_errors
from forecaster.inference.ensemble import ensemble
from forecaster.inference.sweep import Reach
from forecaster.runs.initial import initial_of
from forecaster.tuning.journal import AGAIN, REASON, SAME, STEP, TASK, distributions, run_again, sampler, values_of
from forecaster.tuning.losses import validation_losses
from forecaster.tuning.search import Search

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as Asked

Share = Callable[[float], None]
"""Called with the share of a trial that is done."""


def run_trial(search: Search, study: Study, number: int, on_share: Share) -> FrozenTrial:
    """Draws the values of a trial, and trains and measures it; an interrupted one is continued.

    Values that cannot be trained (they do not go together, or the loss diverges) make an unusable trial, which Optuna
    learns to avoid.

    Args:
        number: of trials that were finished or handed out before, see `sampler`.

    Raises:
        OutsideError: the folder cannot be written.
    """
    with outside_errors(search.folder):
        for lost in _lost(study, number):
            run_again(study, lost, search)
        study.sampler = sampler(search, number)
        asked = study.ask(distributions(search))
        asked.set_user_attr(TASK, number)
        if same := _same(study, asked):
            return _repeat(study, asked, same)
        _take_over(search, asked)
        told = _try(search, study, asked, on_share)
        shutil.rmtree(search.place(asked.number), ignore_errors=True)
        return told


def _try(search: Search, study: Study, asked: Asked, on_share: Share) -> FrozenTrial:
    import torch
    from optuna import TrialPruned
    from optuna.trial import TrialState

    try:
        skill = _learn(search, asked, on_share)
    except TrialPruned:
        return study.tell(asked, state=TrialState.PRUNED)
    except (InputError, MemoryError, torch.OutOfMemoryError) as error:
        asked.set_user_attr(REASON, " ".join(str(error).split()) or "out of memory")
        return study.tell(asked, state=TrialState.PRUNED)
    return study.tell(asked, skill)


def _lost(study: Study, number: int) -> list[FrozenTrial]:
    """Trials that this task ran in another process, which was lost: else it would not run a second time."""
    from optuna.trial import TrialState

    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [one for one in running if one.user_attrs.get(TASK) == number]


def _same(study: Study, asked: Asked) -> FrozenTrial | None:
    """A finished trial with the same values: it would give the same bytes again."""
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return next((one for one in finished if one.params == asked.params), None)


def _repeat(study: Study, asked: Asked, same: FrozenTrial) -> FrozenTrial:
    from optuna.trial import TrialState

    asked.set_user_attr(SAME, same.user_attrs.get(SAME, same.number))
    for name in (REASON, STEP):
        if name in same.user_attrs:
            asked.set_user_attr(name, same.user_attrs[name])
    for step, value in same.intermediate_values.items():
        asked.report(value, step)
    if same.state == TrialState.PRUNED:
        return study.tell(asked, state=TrialState.PRUNED)
    return study.tell(asked, same.value)


def _take_over(search: Search, asked: Asked) -> None:
    """Takes the checkpoints of the killed trial that this one continues."""
    place = search.place(asked.number)
    if AGAIN in asked.user_attrs and (before := search.place(asked.user_attrs[AGAIN])).is_dir():
        before.rename(place)
    place.mkdir(parents=True, exist_ok=True)


def _learn(search: Search, asked: Asked, on_share: Share) -> float:
    """Trains a trial; its skill on the validation period. Writes the losses by date."""
    from forecaster.training.members import learn
    from forecaster.training.networks import Job

    trial = search.trial(values_of(search, asked.params))
    init = initial_of(trial, search.folder.parent, trial.split.train_end)
    reporter = _Reporter(asked, on_share, sum(one.name not in BASELINES for one in trial.config.networks))
    learnt = learn(Job(trial, search.place(asked.number), tick=reporter.tick, cores=1, init=init))
    one = ensemble(learnt.members, trial.dataset, Reach.of(trial.config.task), trial.config.weights)
    loss, losses = validation_losses(one, trial)
    asked.set_user_attr(STEP, max(learnt.best_steps()))
    with atomic_write(search.losses(asked.number)) as part, part.open("wb") as file:
        np.save(file, losses / (search.reference or 1.0), allow_pickle=False)
    return 1 - loss / search.reference if search.reference else 0.0  # no price moved: every loss is 0


@dataclass
class _Reporter:
    """Reports a trial's validation skill to Optuna, which may end it; members train one after the other."""

    asked: Asked
    on_share: Share
    networks: int
    member: int = 0
    last: int = 0
    best: float = -np.inf
    reported: int = 0

    def tick(self, step: int, steps: int, _: float | None, skill: float | None) -> None:
        from optuna import TrialPruned

        if step < self.last:
            self.member, self.best = self.member + 1, -np.inf
        self.last = step
        done, total = self.member * steps + step, self.networks * steps
        self.on_share(min(done / total, 0.999))
        if skill is None or done <= self.reported:
            return
        self.best, self.reported = max(self.best, skill), done  # early stopping keeps the best step
        self.asked.report(self.best, done)
        if done < total and self.asked.should_prune():
            raise TrialPruned
