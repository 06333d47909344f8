"""Searches a config's space by validation; the test stays sealed."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecaster.baselines import REFERENCE
from forecaster.config.about import config_name
from forecaster.config.document import Document, Settings, setting_texts
from forecaster.config.load import find_config, read_document
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.errors import InputError
from forecaster.events import Say
from forecaster.files import check_place, read_bytes, unreadable_errors, write_text
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import release_memory, tuned_allocator
from forecaster.modelfile import versions
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare_sealed
from forecaster.tuning.engine import run_trials
from forecaster.tuning.findings import Findings, Tried, findings, finished
from forecaster.tuning.journal import opened, require_optuna, unlock
from forecaster.tuning.search import Search, save_candles, save_config
from forecaster.tuning.written import tuned_yaml
from forecaster.walkforward.engines import EngineName, engine_of, require_engine
from forecaster.walkforward.processes import Engine

if TYPE_CHECKING:
    from optuna import Study

OnTrials = Callable[[float, int, str], None]
"""Called with the trials done (fractional), in total, and what the best so far has; from several threads."""

_EXAMPLE = "tune: {space: {training.learning_rate: {low: 1e-4, high: 1e-2, log: true}}}"


@dataclass(frozen=True)
class Tuned:
    """A finished search.

    Args:
        config: name of the config.
        output: the YAML with the best values, which trains as it is.
        study: folder of the study, for the same command with more trials.
        validation: first and last date that trials were judged on.
        found: all trials, and what follows from them.
    """

    config: str
    output: Path
    study: Path
    validation: tuple[str, str]
    found: Findings

    @property
    def best(self) -> Tried:
        """The best trial."""
        assert self.found.best is not None, "checked when the search ended"
        return self.found.best

    def __repr__(self) -> str:
        return f"Tuned({self.config}, {len(self.found.trials)} trials: {self.best.skill:+.2%} in validation)"

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        worth = self.found.worth
        return {
            "config": self.config,
            "output": str(self.output),
            "study": str(self.study),
            "reference": REFERENCE,
            "validation": list(self.validation),
            "best": self.best.number,
            "trials": [_as_data(one) for one in self.found.trials],
            "importance": self.found.importance and dict(self.found.importance),
            "worth": worth and {**vars(worth), "left": worth.left, "text": worth.text},
        }


def _as_data(one: Tried) -> dict[str, Any]:
    return {**vars(one), "values": {key: _listed(value) for key, value in one.values.items()}}


def _listed(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_listed(item) for item in value]
    return {key: _listed(item) for key, item in value.items()} if isinstance(value, dict) else value


@tuned_allocator()
@large_arrays_beside_store
def tune(
    config: str | Path,
    *,
    settings: Settings = (),
    trials: int | None = None,
    timeout: float | None = None,
    engine: EngineName = "local",
    workers: int | None = None,
    output: Path | str | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    on_trials: OnTrials = lambda *_: None,
) -> Tuned:
    """Searches the space that a config names (`tune.space`) and writes the best config as YAML.

    Trials learn from the training period and are judged by the validation period; the candles of the test are not even
    handed to them. Finished trials are kept whatever happens: the same call continues.

    Args:
        settings: `KEY=VALUE` texts, or a dict, on top of the config.
        trials: to finish in all, those of earlier calls included; `tune.trials` if absent.
        timeout: seconds after which no further trial begins; `tune.timeout` if absent.
        engine: `ray` runs trials in the cluster at `RAY_ADDRESS`, or in one that it starts on this machine.
        workers: number of processes; one for each core if absent, one if a GPU trains. One worker's search is the same
            whether it was interrupted or not; several finish trials in an order that may differ.
        output: the YAML to write; `tuned-NAME.yaml` in the current folder if absent.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: the arguments cannot be used, or no trial was finished.
        OutsideError: the runs folder or the output cannot be written, or the cluster cannot be reached.
    """
    require_optuna()
    require_engine(engine)
    checked = load_config(config, settings)
    document = read_document(str(config), setting_texts(settings))
    if checked.tune is None:
        raise InputError(f"{document.name} names nothing to search: add a section such as `{_EXAMPLE}`.")
    name = config_name(find_config(str(config)))
    target = Path(output or f"tuned-{re.sub(r'[^A-Za-z0-9._+-]+', '-', name)}.yaml")
    panel, split = prepare_sealed(checked, Path(data_dir), say)
    search = Search(Path(runs_dir) / f".tune-{_fingerprint(checked, panel, split)}", document, checked)
    _check_target(target, search, document)
    wanted = Wanted(trials or checked.tune.trials, timeout or checked.tune.timeout)
    with opened(search, say) as study, engine_of(engine, workers, checked) as at:
        save_config(search)
        _search(search, study, wanted, at, lambda: save_candles(search, panel, split, say), say, on_trials)
        found = findings(search, study)
    if found.best is None:
        raise InputError(_nothing(found, wanted))
    validation = (str(split.train_end), str(split.validation_end))
    write_text(target, tuned_yaml(search, name, found, split), named=True)
    return Tuned(name, target, search.folder, validation, found)


@dataclass(frozen=True)
class Wanted:
    """How far a search goes.

    Args:
        timeout: seconds, counted from now.
    """

    trials: int
    timeout: float | None
    began: float = field(default_factory=time.monotonic)

    def more(self) -> bool:
        """Whether another trial may begin."""
        return self.timeout is None or time.monotonic() - self.began < self.timeout


def _search(
    search: Search,
    study: Study,
    wanted: Wanted,
    engine: Engine,
    prepare: Callable[[], None],
    say: Say,
    on_trials: OnTrials,
) -> None:
    """Runs the trials that are still to be finished."""
    done = finished(search, study)
    numbers = range(len(done), wanted.trials)
    if not numbers:
        say(f"{len(done)} trials are finished already")
        return
    prepare()
    release_memory()
    before = f", {len(done)} are finished already" if done else ""
    workers = min(engine.wait_for_workers(), len(numbers))
    say(f"{wanted.trials} trials{before}, {workers} at a time; if interrupted, the same command continues")
    progress = _Progress(search, study, len(done), wanted.trials, say, on_trials)
    try:
        run_trials(search, study, numbers, engine, progress.answered, wanted.more)
    finally:
        progress.close()
        if engine.is_here:
            unlock(search)
    for left_over in (*search.folder.glob("candles-*"), *search.folder.glob("trial-*")):
        shutil.rmtree(left_over, ignore_errors=True)


class _Progress:
    """Counts what the engine answers, and says each finished trial and the best so far."""

    def __init__(self, search: Search, study: Study, before: int, total: int, say: Say, on_trials: OnTrials) -> None:
        self._search, self._study, self._total = search, study, total
        self._say, self._on_trials = say, on_trials
        self._lock, self._shares, self._said = threading.Lock(), dict[int, float](), set[int]()
        self._before = before
        self._best: Tried | None = None
        self._read()

    def answered(self, number: int, answer: Mapping[str, Any]) -> None:
        """An engine's answer, see `engine.local`."""
        with self._lock:
            self._shares[number] = answer["share"]
            if answer["share"] == 1:
                for one in self._read():
                    self._say(_line(one, one is self._best))
            self._on_trials(self._before + sum(self._shares.values()), self._total, self._words())

    def close(self) -> None:
        """No trial runs any more."""
        self._on_trials(float(self._total), self._total, self._words())

    def _words(self) -> str:
        return "" if self._best is None else f"best {self._best.skill:+.2%} (trial {self._best.number})"

    def _read(self) -> list[Tried]:
        """Finished trials that were not read before."""
        trials = finished(self._search, self._study)
        fresh = [one for one in trials if one.number not in self._said]
        self._said.update(one.number for one in fresh)
        self._best = Findings(trials, None, None).best
        return [one for one in trials if one in fresh]


def _line(one: Tried, best: bool) -> str:
    values = ", ".join(f"{key} {_short(value)}" for key, value in one.values.items())
    if one.state == "unusable":
        return f"trial {one.number} is unusable: {values}: {one.reason}"
    end = "the best so far" if best else "pruned" if one.state == "pruned" else ""
    skill = "" if one.skill is None else f"validation skill {one.skill:+.2%}"
    return f"trial {one.number}: {', '.join(filter(None, (skill, end)))}: {values}"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(_listed(value)).replace("'", "")


def _nothing(found: Findings, wanted: Wanted) -> str:
    unusable = [one for one in found.trials if one.state == "unusable"]
    if unusable:
        return f"no trial could be trained, {len(unusable)} were tried; the first: {unusable[0].reason}"
    limit = f"no trial was finished within {wanted.timeout:g} seconds" if wanted.timeout else "no trial was finished"
    return f"{limit}: run the same command again to continue, with a longer --timeout."


def _check_target(target: Path, search: Search, document: Document) -> None:
    """Refuses to overwrite a file that is not of this search.

    Raises:
        InputError: it is the config itself, or another file.
        OutsideError: it cannot be written.
    """
    check_place(target)
    if not target.is_file():
        return
    if target.resolve() == Path(document.name).resolve():
        raise InputError(f"--output {target} is the config itself: name another file.")
    with unreadable_errors(target):
        content = read_bytes(target)
    if search.folder.name.encode() not in content:
        raise InputError(f"{target} exists and is not of this search: name another file with --output, or move it.")


def _fingerprint(config: Config, panel: Panel, split: Split) -> str:
    """Of all that decides what a trial gives; not of how many there are, so that a search can be continued."""
    values = config.model_dump_json(exclude={"tune": {"trials", "timeout", "found"}, "evaluation": True})
    text = f"{panel.fingerprint}{values}{versions()}{split.train_end}{split.validation_end}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
