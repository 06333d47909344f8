"""Trains a config and compares it with the baselines on the test period."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.config.document import Settings
from forecaster.config.load import to_yaml
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.evaluation.evaluate import evaluate
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Evaluated, Scorecard
from forecaster.events import Say, Tick
from forecaster.files import write_text
from forecaster.header import Header, Refit
from forecaster.inference.paths import Templates, draw_templates
from forecaster.memory import tuned_allocator
from forecaster.runs import folder as runs
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare, survivorship
from forecaster.training.files import checkpoints, write_curves
from forecaster.trial import Trial

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
def train(
    config: str | Path,
    *,
    settings: Settings = (),
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    name: str | None = None,
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Trains a config (a file or a shipped config's name) and writes a run folder with one model file.

    Args:
        settings: `KEY=VALUE` texts, or a dict, on top of the config.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: the arguments cannot be used.
        OutsideError: the runs folder cannot be written.
    """
    checked = load_config(config, settings)
    folder = runs.new_folder(Path(runs_dir), name, checked.name)
    trial = prepare(checked, Path(data_dir), say)
    runs.create(folder)
    say(f"run {folder.name}; if interrupted, continue with: forecast train --resume {folder.name}")
    try:
        write_text(folder / runs.CONFIG, to_yaml(checked))
        return _run(folder, trial, Path(data_dir), say, tick)
    except Exception:
        if not checkpoints(folder):  # nothing to resume: free the name
            shutil.rmtree(folder)
        raise


@tuned_allocator()
def resume(
    run: str,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Resumes an interrupted run (`latest`: the newest one); the result is bit for bit that of an uninterrupted run.

    Raises:
        InputError: the run is finished, or its candles, its config or the libraries have changed since.
    """
    folder = runs.unfinished_run(Path(runs_dir), run)
    checked = load_config(folder / runs.CONFIG)
    return _run(folder, prepare(checked, Path(data_dir), say), Path(data_dir), say, tick)


def _run(folder: Path, trial: Trial, data_dir: Path, say: Say, tick: Tick) -> TrainedRun:
    from forecaster.training.members import Job, learn

    job, panel, config = Job(trial, folder, say, tick), trial.panel, trial.config
    learnt = learn(job)
    write_curves(folder / runs.CURVE, learnt.curves)
    say("scoring the test period beside the baselines")
    templates = draw_templates(trial.dataset, trial.fitted, config)
    notes = survivorship(data_dir, panel, trial.split)
    scorecard = evaluate(learnt.members, trial, notes=notes, templates=templates)
    look = Look(model_of(config), scorecard.first, scorecard.last, panel.tickers, f"train {folder.name}")
    looks = Ledger(data_dir, folder.parent).record(look)
    production = None
    if config.training.through == "latest":
        latest = Period(trial.split.train_start, panel.dates[-1])
        say(f"refitting on all candles, {latest}")
        production = learn(job, latest, stops=learnt.best_steps(), mark="production-")
    _write_model(folder / runs.MODEL, trial, learnt, scorecard, templates, production)
    for left_over in checkpoints(folder):
        left_over.unlink(missing_ok=True)
    return TrainedRun(folder, scorecard.with_looks(looks.count), looks.notes)


def _write_model(
    path: Path,
    trial: Trial,
    learnt: Learnt,
    scorecard: Scorecard,
    templates: Templates | None,
    production: Learnt | None,
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
        fitted_to=trial.split.validation_end,
        fingerprint=panel.fingerprint,
        versions=versions(),
        scorecard=scorecard.stored(),
        refit=Refit(production.base, panel.dates[-1], newest) if production else None,
    )
    save_model(path, learnt.members, header, production=production.members if production else (), templates=templates)


def _of_calendar(panel: Panel, name: str) -> np.ndarray:
    return np.asarray(panel.calendars)[panel.ticker_of_row] == name
