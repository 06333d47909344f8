"""Train what a YAML says, and hold it against the baselines on the test period."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.config.document import Settings
from forecaster.config.load import to_yaml
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Period, Split
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Scorecard
from forecaster.evaluation.verdict import Verdict
from forecaster.features.dataset import Dataset
from forecaster.files import write_text
from forecaster.inference.paths import Templates, draw_templates
from forecaster.workflows import runs
from forecaster.workflows.check import load_config
from forecaster.workflows.evaluate import evaluate
from forecaster.workflows.prepare import Say, prepare, survivorship

if TYPE_CHECKING:
    from forecaster.workflows.learn import Job, Learnt

Tick = Callable[[int, int, float | None, float | None], None]
"""Called after every optimiser step with step, steps, and where measured the loss and the validation skill."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Args:
        notes: what the reader should know beside, a sentence each.
    """

    folder: Path
    scorecard: Scorecard
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What the test says, for as many models as were tried on it."""
        return self.scorecard.verdict

    @property
    def looks(self) -> int:
        """Different models that were tried on its test, this one included."""
        return self.scorecard.looks


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
    """Train a run from a config file (or a shipped config's name) and leave a run folder with one model file.

    Args:
        settings: `KEY=VALUE` texts, or a dict, on top of the config.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: what was given cannot be used.
        OutsideError: the runs folder cannot be written.
    """
    checked = load_config(config, settings)
    folder = runs.free_place(Path(runs_dir), name, checked.name)
    dataset, split = prepare(checked, Path(data_dir), say)
    runs.make(folder)
    say(f"run {folder.name}; if interrupted it goes on with: forecast train --resume {folder.name}")
    try:
        write_text(folder / runs.CONFIG, to_yaml(checked))
        return _run(folder, checked, Path(data_dir), dataset, split, say, tick)
    except Exception:
        if not runs.checkpoints(folder):  # nothing to resume: the name is free again
            shutil.rmtree(folder)
        raise


def resume(
    run: str,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
) -> TrainedRun:
    """Go on with a run that was interrupted (`latest`: the newest such), to the same bytes as without the interruption.

    Raises:
        InputError: the run is finished, or its candles, its config or the libraries have changed since.
    """
    folder = runs.unfinished_run(Path(runs_dir), run)
    checked = load_config(folder / runs.CONFIG)
    dataset, split = prepare(checked, Path(data_dir), say)
    return _run(folder, checked, Path(data_dir), dataset, split, say, tick)


def _run(
    folder: Path, config: Config, data_dir: Path, dataset: Dataset, split: Split, say: Say, tick: Tick
) -> TrainedRun:
    from forecaster.workflows.learn import Job, evaluated_periods, learn

    job = Job(config, dataset, folder, say, tick)
    period, validation = evaluated_periods(config, split)
    learnt = learn(job, period, validation=validation)
    points = [{"member": member} | asdict(point) for member, curve in enumerate(learnt.curves) for point in curve]
    write_text(folder / runs.CURVE, _csv(points))
    say("scoring the test period beside the baselines")
    templates = draw_templates(dataset, period, config)
    notes = survivorship(data_dir, dataset.panel, split)
    scorecard = evaluate(learnt.members, config, dataset, split, notes=notes, templates=templates)
    look = Look(model_of(config), scorecard.first, scorecard.last, dataset.panel.tickers, f"train {folder.name}")
    looks = Ledger(data_dir, folder.parent).record(look)
    production = None
    if config.training.through == "latest":
        latest = Period(split.train_start, dataset.panel.dates[-1])
        say(f"refitting on all candles, {latest}")
        production = learn(job, latest, stops=learnt.best_steps(), mark="production-")
    _write_model(folder / runs.MODEL, job, split, learnt, scorecard, templates, production)
    for left_over in runs.checkpoints(folder):
        left_over.unlink(missing_ok=True)
    return TrainedRun(folder, scorecard.after(looks.count), looks.notes)


def _write_model(
    path: Path,
    job: Job,
    split: Split,
    learnt: Learnt,
    scorecard: Scorecard,
    templates: Templates | None,
    production: Learnt | None,
) -> None:
    """Write the one file that a forecast needs."""
    from forecaster.modelfile import Header, base_as_lists, save_model, versions

    panel, latest = job.dataset.panel, str(job.dataset.panel.dates[-1])
    newest = {name: str(panel.sessions[_of_calendar(panel, name)].max()) for name in dict.fromkeys(panel.calendars)}
    header = Header(
        config=job.config.model_dump(mode="json", exclude_none=True),
        features=job.dataset.features.names,
        base=base_as_lists(learnt.base),
        tickers=panel.tickers,
        split={"train": str(split.train_end), "validation": str(split.validation_end), "test": str(split.test_end)},
        fitted_to=str(split.validation_end),
        fingerprint=panel.fingerprint,
        versions=versions(),
        scorecard=scorecard.stored(),
        production={"base": base_as_lists(production.base), "fitted_to": latest, "newest": newest}
        if production
        else None,
    )
    save_model(path, learnt.members, header, production=production.members if production else (), templates=templates)


def _of_calendar(panel: Panel, name: str) -> np.ndarray:
    return np.asarray(panel.calendars)[panel.ticker_of_row] == name


def _csv(rows: list[dict[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["member", "step", "loss", "validation", "skill"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
