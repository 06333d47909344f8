"""Trains a config and compares it with the baselines on the test period."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.config.about import config_name, origin_comment
from forecaster.config.document import Settings
from forecaster.config.load import find_config, to_yaml
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import LostRankError
from forecaster.evaluation.evaluate import evaluate
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Evaluated, Scorecard
from forecaster.events import Say, Tick
from forecaster.header import Header, Init, Refit
from forecaster.inference.paths import Templates, draw_templates
from forecaster.inference.tails import Tails, fit_tails
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.runs import folder as runs
from forecaster.runs.config import load_config
from forecaster.runs.initial import check_initial, initial_of
from forecaster.runs.prepare import prepare, survivorship
from forecaster.runs.replacement import begin, run_name, settle, sweep, training_in, unfinished_run
from forecaster.runs.space import searched
from forecaster.tracking.record import Record
from forecaster.tracking.track import require_trackers, track
from forecaster.training.files import checkpoints, write_curves
from forecaster.training.launch import ranks
from forecaster.trial import Trial
from forecaster.walkforward.engines import Elsewhere, EngineName, elsewhere_of, require_engine

if TYPE_CHECKING:
    from forecaster.training.members import Learnt


@dataclass(frozen=True)
class TrainedRun(Evaluated):
    """A finished run.

    Args:
        notes: further remarks for the reader, a sentence each.
    """

    folder: Path
    scorecard: Scorecard
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"TrainedRun({self.folder}: {self.scorecard.brief})"


@tuned_allocator()
@large_arrays_beside_store
def train(
    config: str | Path,
    *,
    settings: Settings = (),
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    name: str | None = None,
    force: bool = False,
    engine: EngineName = "local",
    workers: int | None = None,
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Trains a config (a file or a shipped config's name) and writes a run folder with one model file.

    Args:
        settings: `KEY=VALUE` texts, or a dict, on top of the config.
        name: of the run; that of the config and the time if absent.
        force: overwrite the run of that name, which stays until the new one is finished.
        engine: `ray` trains the networks in the cluster at `RAY_ADDRESS`, or in one that it starts on this machine.
        workers: networks at a time; one for each core, or for each CPU of the cluster, if absent. The run is the same
            bit for bit, whatever trains it, under `OMP_NUM_THREADS=1`.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: the arguments cannot be used.
        OutsideError: the runs folder cannot be written, or the cluster cannot be reached.
    """
    require_engine(engine)
    checked = load_config(config, settings)
    check_initial(checked, Path(runs_dir))
    require_trackers(checked.tracking)
    origin = config_name(find_config(str(config)))
    folder = runs.new_folder(Path(runs_dir), name, origin, force)
    with elsewhere_of(engine, workers, checked) as elsewhere:
        trial = _prepare(checked, Path(data_dir), say)
        sweep(Path(runs_dir))
        workplace = begin(folder, force, origin_comment(origin) + to_yaml(checked))
        kept = "" if workplace == folder else "; the run of that name stays until this one is finished"
        say(f"run {folder.name}{kept}; if interrupted, continue with: forecast train --resume {folder.name}")
        try:
            with training_in(workplace):
                return _run(workplace, trial, Path(data_dir), say, tick, workers, elsewhere)
        except LostRankError:  # it says how to resume
            raise
        except Exception:
            _free_name(workplace)
            raise


def _free_name(folder: Path) -> None:
    """Removes the folder of a run that failed before there was anything to resume."""
    if not checkpoints(folder) and not (folder / runs.MODEL).is_file():
        shutil.rmtree(folder, ignore_errors=True)


@tuned_allocator()
@large_arrays_beside_store
def resume(
    run: str,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    engine: EngineName = "local",
    workers: int | None = None,
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Resumes an interrupted run (`latest`: the newest one); the result is bit for bit that of an uninterrupted run.

    Args:
        engine, workers: as in `train`, which need not be those that the run was begun with.

    Raises:
        InputError: the run is finished, or its candles, its config or the libraries have changed since.
        OutsideError: as in `train`.
    """
    require_engine(engine)
    sweep(Path(runs_dir))
    folder = unfinished_run(Path(runs_dir), run)
    with training_in(folder):
        checked = load_config(folder / runs.CONFIG)
        require_trackers(checked.tracking)
        with elsewhere_of(engine, workers, checked) as elsewhere:
            trial = _prepare(checked, Path(data_dir), say)
            return _run(folder, trial, Path(data_dir), say, tick, workers, elsewhere)


def _prepare(config: Config, data_dir: Path, say: Say) -> Trial:
    """The trial, here and in the processes that train along."""
    ranks().require_batch(config.training.batch)
    ranks().send("prepare", config=config.model_dump_json(), data_dir=str(data_dir.absolute()))
    return prepare(config, data_dir, say)


def _run(
    folder: Path,
    trial: Trial,
    data_dir: Path,
    say: Say,
    tick: Tick,
    cores: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> TrainedRun:
    from forecaster.training.members import learn
    from forecaster.training.networks import Job

    panel, config, split = trial.panel, trial.config, trial.split
    init = initial_of(trial, folder.parent, split.validation_end)
    ranks().run = run_name(folder)
    job = Job(trial, folder, say, tick, cores, init, ranks(), elsewhere)
    learnt = learn(job)
    if config.training.through != "latest":
        ranks().dismiss()
    write_curves(folder / runs.CURVE, learnt.curves)
    say("scoring the test period beside the baselines")
    templates = draw_templates(trial.dataset, trial.fitted, config)
    tails = init.tails if init else fit_tails(trial.dataset, trial.fitted, trial.levels)
    notes = [*survivorship(data_dir, panel, split), *searched(config)]
    scorecard = evaluate(learnt.members, trial, notes=notes, templates=templates)
    scorecard = scorecard.by_weights(init.about.fitted_to) if init else scorecard
    look = Look(model_of(config), scorecard.first, scorecard.last, panel.tickers, f"train {run_name(folder)}")
    looks = Ledger(data_dir, folder.parent).record(look)
    production = None
    if config.training.through == "latest":
        latest = Period(split.train_start, panel.dates[-1])
        say(f"refitting on all candles, {latest}")
        job = replace(job, init=initial_of(trial, folder.parent, latest.end))
        production = learn(job, latest, stops=learnt.best_steps(), mark="production-")
    drawn = (templates, tails)
    _write_model(folder / runs.MODEL, trial, learnt, scorecard, drawn, production, init.about if init else None)
    for left_over in checkpoints(folder):
        left_over.unlink(missing_ok=True)
    folder, scorecard = settle(folder), scorecard.with_looks(looks.count)
    record = Record(folder, (folder / runs.MODEL, folder / runs.CURVE), config, learnt.curves, scorecard)
    return TrainedRun(folder, scorecard, (*looks.notes, *track(record, config.tracking, say)))


def _write_model(
    path: Path,
    trial: Trial,
    learnt: Learnt,
    scorecard: Scorecard,
    drawn: tuple[Templates | None, Tails | None],
    production: Learnt | None,
    init: Init | None,
) -> None:
    """Writes the model file, the only file that a forecast needs."""
    from forecaster.modelfile import save_model, versions

    panel = trial.panel
    newest = {name: panel.sessions[_of_calendar(panel, name)].max() for name in dict.fromkeys(panel.calendars)}
    header = Header(
        config=trial.config,
        features=trial.dataset.features.names,
        base=learnt.base,
        tickers=panel.tickers,
        split=trial.split,
        fitted_to=max(trial.split.validation_end, init.fitted_to) if init else trial.split.validation_end,
        fingerprint=panel.fingerprint,
        versions=versions(),
        scorecard=scorecard.stored(),
        refit=Refit(production.base, panel.dates[-1], newest) if production else None,
        calendars=tuple(newest),
        init=init,
    )
    templates, tails = drawn
    again = production.members if production else ()
    save_model(path, learnt.members, header, production=again, templates=templates, tails=tails)


def _of_calendar(panel: Panel, name: str) -> np.ndarray:
    return np.asarray(panel.calendars)[panel.ticker_of_row] == name
