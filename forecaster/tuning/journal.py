"""The study: Optuna's journal file, which outlives a killed process, and what is done when it is opened again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.config.document import inline_yaml
from forecaster.config.tune import RangeConfig
from forecaster.errors import InputError, at_most_five
from forecaster.events import Say
from forecaster.files import outside_errors, read_bytes, sweep, unreadable_errors
from forecaster.printable import quoted
from forecaster.runs.space import Choices, current, whole
from forecaster.tensorfile import PARSING_ERRORS, first_line
from forecaster.tuning.search import Search

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

JOURNAL = "journal.log"
OWN, REASON, SAME, AGAIN, STEP, TASK = "own", "reason", "same", "again", "step", "task"
"""Attributes of a trial: the config as written; why it is unusable; the trial that it repeats; the killed trial that it
continues; the step of the weights that were kept; the number of the task that runs it."""

_STARTUP = 5
"""Complete trials before the median can end one."""

_CREATE_STUDY = 0
"""The journal's code for a study's creation."""


def require_optuna() -> None:
    """Raises:
    InputError: Optuna is not installed.
    """
    if find_spec("optuna") is None:
        raise InputError("forecast tune needs Optuna, which is not installed: pip install 'stock-forecaster[tune]'.")


@contextmanager
def opened(search: Search, say: Say = lambda _: None) -> Iterator[Study]:
    """The study of a search, for the one process that leads it; a killed one's trials will be run again.

    Raises:
        InputError: another process leads it, or the journal is damaged or of another study.
        OutsideError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    with outside_errors(search.folder):
        search.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(search.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"another forecast tune is at work in {search.folder}: wait for it, or end it.") from error
    try:
        sweep(search.folder)
        heal(search.folder / JOURNAL, search.folder.name)
        for freed in search.folder.glob(f"{JOURNAL}.lock*.rename"):  # a lock whose owner was killed while it let go
            freed.unlink(missing_ok=True)
        if os.path.lexists(_lock(search)):
            say("waiting for the lock of a process that was killed, half a minute at most")
        study = join(search, create=True)
        _begin_again(study, search)
        yield study
    finally:
        lock.release()


def unlock(search: Search) -> None:
    """Removes the lock of a worker that was ended while it held it; for the one who leads, once all workers are dead.

    Left there, it would keep the next search waiting for Optuna's grace period.
    """
    _lock(search).unlink(missing_ok=True)


def _lock(search: Search) -> Path:
    """Where Optuna's lock of the journal is while somebody writes."""
    return search.folder / f"{JOURNAL}.lock"


def heal(journal: Path, name: str) -> None:
    """Cuts a torn last line off, which a process leaves that is killed while it writes.

    Raises:
        InputError: another line is damaged, or the journal is of another study.
        OutsideError: it cannot be read, is a pipe, or has more than a gigabyte.
    """
    if not os.path.lexists(journal):
        return
    with unreadable_errors(journal):
        text = read_bytes(journal)
    lines = text.splitlines(keepends=True)
    if lines and not (lines[-1].endswith(b"\n") and _entry(lines[-1])):
        lines.pop()
    names = set()
    for number, line in enumerate(lines, 1):
        if (entry := _entry(line)) is None:
            raise InputError(
                f"{journal}:{number} is damaged: delete the lines from there on to go on, or move the folder away."
            )
        if entry["op_code"] == _CREATE_STUDY:
            names.add(str(entry.get("study_name")))
    if lines and names != {name}:
        other = at_most_five(quoted(one).strip("'") for one in sorted(names, key=str)) or "nobody"
        raise InputError(f"{journal} is the journal of another study ({other}), not of {name}: move it away.")
    with outside_errors(journal):
        os.truncate(journal, sum(map(len, lines)))


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "op_code" in entry else None


def join(search: Search, create: bool = False) -> Study:
    """The study of a search, for any process that works on it."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    name, pruner = search.folder.name, _pruner(search)
    with outside_errors(search.folder):
        # Absolute: Optuna's lock is a link to this path, and one that leads nowhere would be waited for for ever.
        backend = JournalFileBackend(str((search.folder / JOURNAL).absolute()))
        with damage_errors(search):
            storage = JournalStorage(backend)  # reads the journal
            studies = storage.get_all_studies()
        if create and not studies:
            return optuna.create_study(study_name=name, storage=storage, direction="maximize", pruner=pruner)
        return optuna.load_study(study_name=name, storage=storage, pruner=pruner)


@contextmanager
def damage_errors(search: Search, path: Path | None = None) -> Iterator[None]:
    """Turns what Optuna and we raise at a journal that is JSON, but not that of a search, into one line.

    Only around the reading of what a file says: elsewhere such an error is a bug, and the journal is whole.

    Args:
        path: the file, if it is not the journal.
    """
    try:
        yield
    except (*PARSING_ERRORS, RuntimeError, AssertionError) as error:
        raise InputError(
            f"{path or search.folder / JOURNAL} is damaged: {first_line(error)}. Move the folder away to search anew."
        ) from error


def _begin_again(study: Study, search: Search) -> None:
    """Fails the trials that no process works on any more, and queues them; the first trial is the config as written."""
    from optuna.trial import TrialState

    with damage_errors(search):
        trials = study.get_trials()
    if not trials and (own := search.own()) is not None:
        study.enqueue_trial(_params(search, own), user_attrs={OWN: True})
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            run_again(study, trial, search)


def run_again(study: Study, trial: FrozenTrial, search: Search) -> None:
    """Fails a trial whose process is dead, and queues its values."""
    from optuna.trial import TrialState

    study.tell(trial.number, state=TrialState.FAIL)
    if trial.params.keys() == search.tune.space.keys():
        kept = {key: value for key, value in trial.user_attrs.items() if key == OWN}
        study.enqueue_trial(trial.params, user_attrs=kept | {AGAIN: trial.number})


def distributions(search: Search) -> dict[str, BaseDistribution]:
    """The space as Optuna has it; choices by their texts."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for key, choices in search.tune.space.items():
        if not isinstance(choices, RangeConfig):
            found[key] = CategoricalDistribution(list(map(inline_yaml, choices)))
        elif whole(choices, current(search.config, key)):
            found[key] = IntDistribution(int(choices.low), int(choices.high), log=choices.log)
        else:
            found[key] = FloatDistribution(float(choices.low), float(choices.high), log=choices.log)
    return found


def values_of(search: Search, params: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's value for each key of the space; Optuna has choices by their texts."""
    return {key: _value(search.tune.space[key], param) for key, param in params.items()}


def _value(choices: Choices, param: Any) -> Any:
    if isinstance(choices, RangeConfig):
        return param
    return choices[list(map(inline_yaml, choices)).index(param)]


def _params(search: Search, values: dict[str, Any]) -> dict[str, Any]:
    space = search.tune.space
    return {key: value if isinstance(space[key], RangeConfig) else inline_yaml(value) for key, value in values.items()}


def sampler(search: Search, number: int) -> BaseSampler:
    """Draws the values of one trial, by the seed of the config and the trial's number among those finished.

    A search in one process is therefore the same whether it was interrupted or not.
    """
    from optuna.samplers import TPESampler

    seed = hashlib.sha256(f"{search.config.training.seed} {number}".encode()).digest()
    return TPESampler(seed=int.from_bytes(seed[:4]), constant_liar=True)


def _pruner(search: Search) -> BasePruner:
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    from forecaster.training.fit import REPORT_EVERY

    if search.tune.pruner == "median":  # the first report, in the warm-up of the learning rate, says little
        return MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=REPORT_EVERY + 1)
    if search.tune.pruner == "hyperband":
        return HyperbandPruner(min_resource=REPORT_EVERY, max_resource=max(search.steps, REPORT_EVERY))
    return NopPruner()
