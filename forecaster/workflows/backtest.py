"""Walk-forward evaluation: refit, forecast the next sessions, move on; beside baselines fitted the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecaster.config.document import Settings
from forecaster.config.schema import Config
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
from forecaster.files import is_file
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
from forecaster.walkforward.engines import EngineName, engine_of, require_engine
from forecaster.walkforward.refit import Part, ProgressCallbacks, fit_free, refitted
from forecaster.walkforward.walk import Walk


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
    engine: EngineName = "local",
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
        engine: `ray` fits folds in the cluster at `RAY_ADDRESS`, or in one that it starts on this machine.
        workers: number of processes; one for each core if absent, one if a GPU trains. Scores are the same bit for bit
            under `OMP_NUM_THREADS=1`. Otherwise least squares use all cores in one process but one core in each of
            several, and the different order of summation changes results by about 1e-13.

    Raises:
        ConfigError, UnknownNameError, InputError, DataError: the arguments cannot be used.
        OutsideError: the runs folder cannot be written, or the cluster cannot be reached.
    """
    root, data = Path(runs_dir), Path(data_dir)
    require_engine(engine)
    run, config = _subject(config_or_run, settings, root)
    names = normalise_all(tickers) if tickers else ()
    if run is not None and refit_every is None:
        if names:
            return _on_unseen(run, names, data, say)
        if rolling is not None:
            raise InputError(
                f"--rolling {rolling} needs a refit, but run {run.name} is used as it is: add --refit-every."
            )
        return _as_it_is(run, root, data, say)
    with engine_of(engine, workers, config) as at:
        walk = _walk_of(run, config, names, refit_every, rolling, root, data, say)
        scores = refitted(walk, at, ProgressCallbacks(say, tick, fold, folds))
    return _recorded(walk, scores, run, config, root, data)


@tuned_allocator()
@large_arrays_beside_store
def backtest_worker(
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
) -> Backtest | Part:
    """Fits the folds of a backtest that no other worker has taken; any process that sees `runs_dir` can be one.

    The arguments are those of `backtest`, and the same for all workers.

    Returns:
        The result if all folds are finished at the end; otherwise what this worker did.

    Raises:
        As `backtest`.
    """
    root, data = Path(runs_dir), Path(data_dir)
    run, config = _subject(config_or_run, settings, root)
    if run is not None and refit_every is None:
        raise InputError(f"--worker fits folds, but run {run.name} is used as it is: add --refit-every.")
    names = normalise_all(tickers) if tickers else ()
    walk = _walk_of(run, config, names, refit_every, rolling, root, data, say)
    scores = fit_free(walk, ProgressCallbacks(say, tick, fold, lambda *_: None))
    return scores if isinstance(scores, Part) else _recorded(walk, scores, run, config, root, data)


def _subject(config_or_run: str, settings: Settings, root: Path) -> tuple[Run | None, Config]:
    """The run of this name, if it is one, and its config."""
    run = _run_of(config_or_run, root)
    if run is not None and settings:
        raise InputError("--set changes a config, but a run is finished: backtest its config instead.")
    return run, run.config if run else load_config(config_or_run, settings)


def _walk_of(
    run: Run | None,
    config: Config,
    tickers: tuple[str, ...],
    refit_every: int | None,
    rolling: str | None,
    root: Path,
    data: Path,
    say: Say,
) -> Walk:
    """The folds, and the folder that all processes share which are to fit the same."""
    chosen = tickers or (run.tickers if run else ())
    trial = prepare(_with_tickers(config, chosen) if chosen else config, data, say)
    splits = _usable(walk_forward(trial, refit_every, rolling), trial)
    return Walk(root / f".backtest-{_fingerprint(trial, splits)}", trial, tuple(splits))


def _as_it_is(run: Run, root: Path, data: Path, say: Say) -> Backtest:
    """Scores a run on its own test period, without refitting it."""
    trial = run.trial(run.candles(open_store(data)))
    say(f"scoring run {run.name} as it is")
    notes = survivorship(data, trial.panel, trial.split)
    card = evaluate(run.model.members(), trial, notes=notes, templates=run.model.templates)
    return _looked(card.by_weights(run.header.fitted_to), trial, run, run.config, 0, root, data)


def _recorded(
    walk: Walk, scores: dict[str, Scores], run: Run | None, config: Config, root: Path, data: Path
) -> Backtest:
    """The result of a walk-forward, after its look is in the ledger."""
    trial = walk.whole
    card = scorecard_of(scores, trial, survivorship(data, trial.panel, trial.split))
    if init := initial_of(trial, root, trial.split.validation_end):
        card = card.by_weights(init.about.fitted_to)
    return _looked(card, trial, run, config, len(walk.folds), root, data)


def _looked(
    card: Scorecard, trial: Trial, run: Run | None, config: Config, refits: int, root: Path, data: Path
) -> Backtest:
    """Counts the look at the test period."""
    name = run.name if run else config.name
    look = Look(model_of(config), card.first, card.last, trial.panel.tickers, f"backtest {name}")
    looks = Ledger(data, run.runs_dir if run else root).record(look)
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
    if is_file(Path(name)):
        return None
    try:
        folder = runs.find_run(root, name)
    except (UnknownNameError, InputError):
        if name == "latest":
            raise
        return None
    return Run.read(folder, root)


def _fingerprint(trial: Trial, folds: Sequence[Split]) -> str:
    text = f"{trial.panel.fingerprint}{trial.config.model_dump_json()}{versions()}{folds}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
