"""What a study has found: its trials, the best one, which keys matter, and what the gain is worth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecaster import mapped
from forecaster.axes import Float
from forecaster.files import unreadable_errors
from forecaster.parsing import number, text, whole
from forecaster.printable import quoted
from forecaster.tuning.journal import OWN, REASON, SAME, STEP, damage_errors, values_of
from forecaster.tuning.search import Search
from forecaster.tuning.worth import Worth, worth

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

State = Literal["complete", "pruned", "unusable"]

_FEWEST = 10
"""Fewest complete trials to say which keys matter."""

_TOP = 5
"""Trials, at least, whose values are compared with all others'."""


@dataclass(frozen=True)
class Tried:
    """A finished trial.

    Args:
        skill: over the reference in validation; of a pruned trial at its last report, None if it is unusable.
        step: optimiser step of the weights that were kept.
        reason: why it is unusable.
        own: the config as written.
        same: number of the trial with the same values, which was not trained twice.
    """

    number: int
    state: State
    skill: float | None
    values: Mapping[str, Any]
    step: int | None = None
    reason: str = ""
    own: bool = False
    same: int | None = None


@dataclass(frozen=True)
class Findings:
    """Finished trials in the order in which they began.

    Args:
        importance: share of each key in what sets the best trials apart; None with too few trials.
        worth: None with too few trials or dates.
    """

    trials: tuple[Tried, ...]
    importance: Mapping[str, float] | None
    worth: Worth | None

    @property
    def best(self) -> Tried | None:
        """The complete trial with the largest skill; the earliest of equal ones."""
        complete = [one for one in self.trials if one.state == "complete"]
        return max(complete, key=lambda one: one.skill or 0.0, default=None)

    @property
    def own(self) -> Tried | None:
        """The config as written, if it was tried to its end."""
        return next((one for one in self.trials if one.own and one.state == "complete"), None)

    def count(self, state: State) -> int:
        """Number of trials that ended so."""
        return sum(one.state == state for one in self.trials)


def finished(search: Search, study: Study) -> tuple[Tried, ...]:
    """The finished trials of a study; those of killed processes are not among them.

    Raises:
        InputError: its journal is damaged.
    """
    from optuna.trial import TrialState

    states = (TrialState.COMPLETE, TrialState.PRUNED)
    with damage_errors(search):
        return tuple(_tried(search, one) for one in study.get_trials(deepcopy=False, states=states))


def findings(search: Search, study: Study) -> Findings:
    """Reads a study."""
    trials = finished(search, study)
    return Findings(trials, _importance(study), _worth(search, trials))


def _tried(search: Search, trial: FrozenTrial) -> Tried:
    attributes, complete = trial.user_attrs, trial.state.name == "COMPLETE"
    state: State = "unusable" if REASON in attributes else "complete" if complete else "pruned"
    if trial.params.keys() != search.tune.space.keys():
        raise ValueError(f"trial {trial.number} has the keys {quoted(list(trial.params))}")
    return Tried(
        trial.number,
        state,
        number(trial.value) if state == "complete" else trial.value,
        values_of(search, trial.params),
        _whole(attributes.get(STEP)),
        text(attributes.get(REASON, "")),
        bool(attributes.get(OWN)),
        _whole(attributes.get(SAME)),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else whole(value)


def _losses(search: Search, trial: int) -> Float[np.ndarray, " date"]:
    path = search.losses(trial)
    with unreadable_errors(path), damage_errors(search, path):
        found = mapped.read_array(path)
        if found.ndim != 1 or found.dtype != np.float64 or not np.isfinite(found).all():
            raise ValueError(f"{path.name} holds no losses")
        return found


def _importance(study: Study) -> dict[str, float] | None:
    """By PED-ANOVA, which needs no other library: how differently the best trials and all trials are spread."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _FEWEST:
        return None
    with warnings.catch_warnings(action="ignore"):
        evaluator = PedAnovaImportanceEvaluator(target_quantile=max(0.1, _TOP / len(complete)))
        found = get_param_importances(study, evaluator=evaluator)
    return found if all(map(math.isfinite, found.values())) else None


def _worth(search: Search, trials: Sequence[Tried]) -> Worth | None:
    complete = [one for one in trials if one.state == "complete" and one.same is None]
    if not complete:
        return None
    losses = [_losses(search, one.number) for one in complete]
    with damage_errors(search):
        if len({one.shape for one in losses}) > 1:
            raise ValueError("the losses of its trials have different lengths")
    best = max(range(len(complete)), key=lambda place: complete[place].skill or 0.0)
    own = next((place for place, one in enumerate(complete) if one.own), None)
    return worth(losses, best, own, max(search.config.task.steps))
