"""Scores a run beside its baselines: fitted on the same period, calibrated alike, scored on the same origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from forecaster.baselines import FORMULAS, FittedBaseline
from forecaster.config.schema import Config
from forecaster.evaluation.pathodds import path_odds
from forecaster.evaluation.pathrange import path_ranges
from forecaster.evaluation.rows import Measure
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import Scores, score_all
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.calibration import has_spread, rolling_offsets
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.paths import Templates
from forecaster.inference.sweep import Reach
from forecaster.memory import release_memory
from forecaster.trial import Trial


def baselines_of(config: Config) -> tuple[str, ...]:
    """Baselines that a run is compared with: every simple formula, the reference first, then those of its config."""
    names = dict.fromkeys((*FORMULAS, *config.evaluation.baselines))
    return tuple(name for name in names if name != config.name)


def evaluate(
    members: Sequence[Member], trial: Trial, *, notes: Sequence[str] = (), templates: Templates | None = None
) -> Scorecard:
    """Scores the members' forecast and its baselines on the same origins of the test period.

    Args:
        notes: further remarks for the reader of the scorecard, one sentence each.
        templates: historical paths that sample paths are drawn from; without them no paths are scored.

    Raises:
        InputError: the test period has no origin, or fewer sessions than the horizon.
    """
    return evaluate_all(forecasters(members, trial, trial.test_rows), trial, notes=notes, templates=templates)


def evaluate_all(
    compared: Mapping[str, Forecaster],
    trial: Trial,
    *,
    notes: Sequence[str] = (),
    templates: Templates | None = None,
) -> Scorecard:
    """Scores forecasters on the same origins of the test period: the first is judged, the second the reference.

    Raises:
        InputError: as in `evaluate`.
    """
    rows, dataset = trial.test_rows, trial.dataset
    scores = score_all(compared, dataset, rows, trial.test, trial.levels)
    release_memory()
    several = list(compared.items())
    measures = [
        one
        for score in (path_ranges, path_odds)
        for one in score(several, dataset, rows, trial.test, templates, trial.levels)
    ]
    return scorecard_of(scores, trial, notes, measures)


def scorecard_of(
    scores: Mapping[str, Scores], trial: Trial, notes: Sequence[str] = (), measures: Sequence[Measure] = ()
) -> Scorecard:
    """Makes the scorecard from scores at the origins of the test period."""
    rows, panel = trial.test_rows, trial.panel
    tickers = len(np.unique(panel.ticker_of_row[rows]))
    return make_scorecard(scores, panel.sessions[rows], tickers, trial.dataset.steps, notes, measures)


def forecasters(
    members: Sequence[Member], trial: Trial, rows: Rows, baselines: Sequence[str] | None = None
) -> dict[str, Forecaster]:
    """Maps names to calibrated forecasters: the run first, then its baselines, the reference first.

    Args:
        rows: origins, as rows of the panel.
        baselines: all of `baselines_of` if absent.
    """
    config, dataset = trial.config, trial.dataset
    run = ensemble(members, dataset, Reach.of(config.task), config.weights)
    others = baseline_forecasters(trial, rows, baselines)
    return {config.name: _calibrated(run, config, dataset, rows)} | others


def baseline_forecasters(trial: Trial, rows: Rows, names: Sequence[str] | None = None) -> dict[str, Forecaster]:
    """Maps names to baselines, fitted to the trial's period and calibrated as its run is; see `forecasters`."""
    config, dataset, found = trial.config, trial.dataset, {}
    for name in baselines_of(config) if names is None else names:
        found[name] = FittedBaseline.learnt(name, dataset, trial.fitted, trial.levels).bind(dataset)
    release_memory()
    calibrated = {name: _calibrated(one, config, dataset, rows) for name, one in found.items()}
    release_memory()
    return calibrated


def _calibrated(one: Forecaster, config: Config, dataset: Dataset, rows: Rows) -> Forecaster:
    # One origin is enough: a point forecast has no bands anywhere.
    if not config.calibration.rolling or not has_spread(one(rows[:1])).any():
        return one
    dates = dataset.panel.sessions[rows]
    offsets = rolling_offsets(
        one, dataset, config.calibration, config.task.levels, dates.min(), dates.max(), config.task.context
    )
    return lambda origins: offsets.apply(one(origins), dataset, origins)
