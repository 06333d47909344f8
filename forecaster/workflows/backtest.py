"""Walk-forward evaluation: refit, forecast the next sessions, move on; beside baselines fitted the same way."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecaster.config.document import Settings
from forecaster.config.schema import Config
from forecaster.cores import cores
from forecaster.data.splits import Split, span_before
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import InputError, UnknownNameError, at_most_five
from forecaster.evaluation.evaluate import evaluate, scorecard_of
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.scorecard import Evaluated, Scorecard
from forecaster.evaluation.scores import Scores
from forecaster.events import Say, Tick
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.modelfile import versions
from forecaster.runs import folder as runs
from forecaster.runs.config import load_config
from forecaster.runs.initial import initial_of
from forecaster.runs.prepare import prepare, survivorship
from forecaster.runs.run import Run
from forecaster.runs.unseen import score_unseen
from forecaster.trial import Trial
from forecaster.walkforward.fold import fit_fold
from forecaster.walkforward.processes import fit_folds
from forecaster.walkforward.walk import Walk, load_scores, unfinished


@dataclass(frozen=True)
class Backtest(Evaluated):
    """A finished walk-forward evaluation.

    Args:
        refits: how often the networks were trained.
        notes: further remarks for the reader, a sentence each.
    """

    name: str
    scorecard: Scorecard
    refits: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        refits = f"{self.refits} refit{'' if self.refits == 1 else 's'}"
        return f"Backtest({self.name}, {refits}: {self.scorecard.brief})"

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        card = self.scorecard.as_data()
        first = ("origins", "tickers", "horizon", "reference", "models", "verdict", "test_period_looks")
        return {key: card[key] for key in (*first, "measures", "notes")}


@dataclass(frozen=True)
class ProgressCallbacks:
    """Callbacks that a backtest reports its progress to; see `backtest`."""

    say: Say
    tick: Tick
    fold: Callable[[int, int], None]
    folds: Callable[[float, int], None]


@tuned_allocator()
@large_arrays_beside_store
def backtest(
    config_or_run: str,
    *,
    settings: Settings = (),
    tickers: Sequence[str] = (),
    refit_every: int | None = None,
    rolling: str | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
    tick: Tick = lambda *_: None,
    fold: Callable[[int, int], None] = lambda *_: None,
    folds: Callable[[float, int], None] = lambda *_: None,
    workers: int | None = None,
) -> Backtest:
    """Evaluates a config, or a finished run without refitting, on its test period.

    Args:
        config_or_run: a YAML file, the name of a shipped config, or a run.
        settings: `KEY=VALUE` texts, or a dict, on top of a config.
        tickers: instead of those of the config; a run is scored on them as it is, seen in training or not, from the
            day on which its weights knew nothing more.
        refit_every: number of test sessions after which everything is refitted on the data known by then; if absent,
            a config is fitted once, and a run not at all.
        rolling: fit on the last span only, such as `5y`; on all history if absent.
        fold: called when a fold starts, with its number (from 1) and the number of folds.
        folds: called instead if several folds are fitted in parallel, with the number done (fractional) and in total.
        workers: number of processes; one for each core if absent, one if a GPU trains. Scores are the same bit for bit
            under `OMP_NUM_THREADS=1`. Otherwise least squares use all cores in one process but one core in each of
            several, and the different order of summation changes results by about 1e-13.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: the arguments cannot be used.
        OutsideError: the runs folder cannot be written.
    """
    root = Path(runs_dir)
    run = _run_of(config_or_run, root)
    if run is not None and settings:
        raise InputError("--set changes a config, but a run is finished: backtest its config instead.")
    config = run.config if run else load_config(config_or_run, settings)
    name = run.name if run else config.name
    if tickers:
        names = normalise_all(tickers)
        if run is not None and refit_every is None:
            return _on_unseen(run, names, Path(data_dir), say)
        config = _with_tickers(config, names)
    if run is not None and refit_every is None:
        if rolling is not None:
            raise InputError(
                f"--rolling {rolling} needs a refit, but run {run.name} is used as it is: add --refit-every."
            )
        trial, refits = run.trial(run.candles(open_store(data_dir))), 0
        say(f"scoring run {run.name} as it is")
        notes = survivorship(Path(data_dir), trial.panel, trial.split)
        card = evaluate(run.model.members(), trial, notes=notes, templates=run.model.templates)
        card = card.by_weights(run.header.fitted_to)
    else:
        trial = prepare(_with_tickers(config, run.tickers) if run and not tickers else config, Path(data_dir), say)
        splits = _usable(walk_forward(trial, refit_every, rolling), trial)
        walk = Walk(root / f".backtest-{_fingerprint(trial, splits)}", trial, tuple(splits))
        scores = _refitted(walk, workers or _workers(config), ProgressCallbacks(say, tick, fold, folds))
        notes = survivorship(Path(data_dir), trial.panel, trial.split)
        card, refits = scorecard_of(scores, trial, notes), len(splits)
        if init := initial_of(trial, root, trial.split.validation_end):
            card = card.by_weights(init.about.fitted_to)
    look = Look(model_of(config), card.first, card.last, trial.panel.tickers, f"backtest {name}")
    looks = Ledger(Path(data_dir), run.runs_dir if run else root).record(look)
    return Backtest(name, card.with_looks(looks.count), refits, looks.notes)


def _on_unseen(run: Run, tickers: tuple[str, ...], data_dir: Path, say: Say) -> Backtest:
    """Scores a run as it is on tickers that it may never have seen."""
    say(f"scoring run {run.name} as it is on {at_most_five(tickers)}")
    card, trial = score_unseen(run, open_store(data_dir), tickers)
    notes = survivorship(data_dir, trial.panel, trial.split)
    look = Look(model_of(run.config), card.first, card.last, tickers, f"backtest {run.name} --tickers")
    looks = run.ledger(data_dir).record(look)
    return Backtest(run.name, replace(card, notes=(*card.notes, *notes), looks=looks.count), 0, looks.notes)


def _with_tickers(config: Config, tickers: tuple[str, ...]) -> Config:
    """The config with a run's own tickers, whatever `all` means now."""
    return config.model_copy(update={"data": config.data.model_copy(update={"tickers": tickers})})


def walk_forward(trial: Trial, refit_every: int | None, rolling: str | None) -> Iterator[Split]:
    """Yields the splits of the folds: each tests the sessions after its own training data, and no session twice."""
    split, dates = trial.split, trial.panel.dates
    test = dates[split.test.holds(dates)]
    validation = split.validation_end - split.train_end
    for begin in range(0, len(test), refit_every or len(test)):
        before = split.validation_end if begin == 0 else test[begin - 1]
        end = test[min(begin + (refit_every or len(test)), len(test)) - 1]
        fold = Split(before - validation, before, end if end != test[-1] else split.test_end)
        yield fold if rolling is None else replace(fold, train_start=span_before(fold.validation_end, rolling))


def _usable(folds: Iterator[Split], whole: Trial) -> list[Split]:
    """The folds that have an origin to test; checks before any training that each has enough data.

    Raises:
        InputError: a fold has too little data to train on.
    """
    sessions = whole.panel.sessions[whole.test_rows]
    tested = [fold for fold in folds if fold.test.holds(sessions).any()]
    for fold in tested:
        trial = whole.over(fold)
        for period in (trial.fitted, trial.validation):
            if period is not None and period.start is not None and period.start >= period.end:
                raise InputError(f"--rolling leaves nothing to train on: {period} is empty: choose a longer span.")
            if period is not None:
                trial.origins(period)
    return tested


def _run_of(name: str, root: Path) -> Run | None:
    """The run of this name; None if the name means a config."""
    if Path(name).is_file():
        return None
    try:
        folder = runs.find_run(root, name)
    except (UnknownNameError, InputError):
        if name == "latest":
            raise
        return None
    return Run.read(folder, root)


def _workers(config: Config) -> int:
    """One process for each core; one on a GPU, where sharing is no faster and each process needs its own memory."""
    from forecaster.training.device import choose_device

    return cores() if choose_device(config.training.device).type == "cpu" else 1


def _refitted(walk: Walk, workers: int, progress: ProgressCallbacks) -> dict[str, Scores]:
    """Joined scores of all folds; folds that an interrupted backtest finished are reused."""
    walk.folder.mkdir(parents=True, exist_ok=True)
    waiting, total = unfinished(walk), len(walk.folds)
    if min(workers, len(waiting)) > 1:
        progress.say(f"{len(waiting)} folds, {min(workers, len(waiting))} at a time")
        _in_parallel(walk, waiting, workers, progress)
    else:
        for number in waiting:
            progress.fold(number + 1, total)
            progress.say(f"fold {number + 1} of {total}: {_describe(walk, number)}")
            fit_fold(walk, number, say=progress.say, tick=progress.tick)
    parts = [load_scores(walk.scores(number)) for number in range(total)]
    shutil.rmtree(walk.folder, ignore_errors=True)
    return {name: Scores.joined([part[name] for part in parts]) for name in parts[0]}


def _in_parallel(walk: Walk, waiting: Sequence[int], workers: int, progress: ProgressCallbacks) -> None:
    lock, total = threading.Lock(), len(walk.folds)
    shares = [0.0 if number in waiting else 1.0 for number in range(total)]

    def on_progress(number: int, share: float) -> None:
        with lock:
            shares[number] = share
            if share == 1:
                progress.say(f"fold {number + 1} of {total} is done: {_describe(walk, number)}")
            progress.folds(sum(shares), total)

    progress.folds(sum(shares), total)
    fit_folds(walk, waiting, workers, on_progress)


def _describe(walk: Walk, number: int) -> str:
    period = walk.fold(number).fitted
    return f"trains on candles {period}, tests to {walk.folds[number].test_end}"


def _fingerprint(trial: Trial, folds: Sequence[Split]) -> str:
    text = f"{trial.panel.fingerprint}{trial.config.model_dump_json()}{versions()}{folds}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
