"""Scores a finished run, as it is, on tickers that it never saw, beside formulas that are fitted to these tickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.quality import Reading
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.errors import InputError, at_most_five
from forecaster.evaluation.evaluate import baseline_forecasters, evaluate_all
from forecaster.evaluation.scorecard import Scorecard
from forecaster.features.blocks import measure_market
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.calibration import Offsets, Quantiles, rolling_offsets
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.foreign import FORMULA, needed, own_dataset, own_quantiles
from forecaster.inference.sweep import Reach
from forecaster.runs.covariates import require_recent
from forecaster.runs.run import Run
from forecaster.trial import Trial

_FEWEST = 60
"""Fewest test sessions besides the horizon: with fewer days the weights before are judged, or the test is in-sample."""

_HISTORY = 250
"""Sessions before the test that formulas are fitted to, where there are twice as many."""

_IN_SAMPLE = 504
"""Most test sessions where all days are in-sample: two years."""


@dataclass(frozen=True, eq=False)
class Unseen:
    """A run's trial on other tickers.

    Args:
        trial: tests the days on which the run's weights knew nothing more, and fits formulas to all before.
        production: the weights refitted on all candles are judged.
        readings: histories of the tickers, in the panel's order.
    """

    trial: Trial
    production: bool
    readings: tuple[Reading, ...]


def score_unseen(run: Run, store: Store, tickers: Sequence[str]) -> tuple[Scorecard, Trial]:
    """Scores a run on tickers of the store beside formulas fitted to them; its notes name those of foreign markets.

    Raises:
        UnknownNameError, InputError: as in `unseen_trial`.
    """
    unseen = unseen_trial(run, store, tickers)
    trial = unseen.trial
    compared = {run.config.name: as_predicted(run, store, unseen)} | baseline_forecasters(trial, trial.test_rows)
    card = evaluate_all(compared, trial, notes=_notes(run, unseen), templates=run.model.templates)
    if any(_known(run, one) for one in unseen.readings):
        card = card.by_weights(_fitted_to(run, unseen.production))
    return card, trial


def _notes(run: Run, unseen: Unseen) -> list[str]:
    foreign = [one.bars.ticker for one in unseen.readings if not _known(run, one)]
    if not foreign:
        return []
    which = "All of the tickers" if len(foreign) == len(unseen.readings) else at_most_five(foreign)
    return [
        f"{which}: of markets that run {run.name} was not trained on, so {FORMULA}, fitted to each of them alone, "
        f"is what the row {run.config.name} scores."
    ]


def unseen_trial(run: Run, store: Store, tickers: Sequence[str]) -> Unseen:
    """The test of a run on tickers of the store, from the day after its weights were fitted.

    The weights refitted on all candles are judged if there are enough days after them, else the tested ones; without
    such days either, the last two years are scored and the result is in-sample.

    Raises:
        UnknownNameError: the store does not have a ticker.
        InputError: a history is too short, the run reads means of tickers that the store lacks, or a covariate is
            missing or ends early.
    """
    shortest = needed(run.config.task.steps) + _FEWEST
    readings = [_long_enough(run.history(store, ticker), shortest) for ticker in tickers]
    panel = Panel.of([one.bars for one in readings], run.covariates(store))
    require_recent(panel.covariates, panel)
    # Formulas of foreign tickers are fitted as time goes on: no day is in-sample for them.
    split, production = _split(run, panel.dates) if any(_known(run, one) for one in readings) else _whole(panel.dates)
    market = measure_market(_own_panel(run, store)) if "market" in run.config.features else None
    features = compute_features(panel, run.config.features, market)
    foreign = [number for number, one in enumerate(readings) if not _known(run, one)]
    features = replace(features, ready=features.ready & _fitted_rows(panel, foreign, needed(run.config.task.steps)))
    trial = Trial(run.config, Dataset(panel, features, run.config.task.steps), split)
    return Unseen(trial, production, tuple(readings))


def as_predicted(run: Run, store: Store, unseen: Unseen) -> Forecaster:
    """What `predict` would have said at test origins.

    Raises:
        InputError: the run is calibrated by tickers that the store lacks.
    """
    trial, config = unseen.trial, run.config
    members, reach = run.model.light(unseen.production), Reach.of(config.task)
    network = ensemble(members, trial.dataset, reach, config.weights)
    offsets = _offsets(run, members, trial, store) if config.calibration.rolling else None
    tested = set(trial.panel.ticker_of_row[trial.test_rows].tolist())
    formulas = {
        number: _formula(one.bars, trial, number)
        for number, one in enumerate(unseen.readings)
        if number in tested and not _known(run, one)
    }

    def forecast(rows: Rows) -> Quantiles:
        found = network(rows)
        if offsets is not None:
            found = offsets.apply(found, trial.dataset, rows)
        ticker = trial.panel.ticker_of_row[rows]
        for number, formula in formulas.items():
            if (of := ticker == number).any():
                found[of] = formula(rows[of])
        return found

    return forecast


def _long_enough(reading: Reading, shortest: int) -> Reading:
    bars = reading.bars
    if len(bars) < shortest:
        raise InputError(
            f"{bars.ticker} has {len(bars)} candles, but a test beside formulas that are fitted to them needs "
            f"{shortest}: fetch a longer history, or leave it out."
        )
    return reading


def _fitted_to(run: Run, production: bool) -> np.datetime64:
    refit = run.header.refit
    return refit.fitted_to if production and refit else run.header.fitted_to


def _fitted_rows(panel: Panel, foreign: Sequence[int], count: int) -> np.ndarray:
    """Rows on which a foreign ticker has enough candles for its formula, as `predict` asks; all rows of the others."""
    depth = np.arange(len(panel.sessions)) - panel.offsets[panel.ticker_of_row]
    enough: np.ndarray = ~np.isin(panel.ticker_of_row, foreign) | (depth >= count - 1)
    return enough


def _known(run: Run, reading: Reading) -> bool:
    return run.header.knows(reading.bars.ticker, reading.calendar)


def _whole(dates: np.ndarray) -> tuple[Split, bool]:
    """Tests all days but those that a formula needs to be fitted."""
    begin = dates[min(_HISTORY, len(dates) // 2)]
    return Split(begin, begin, dates[-1]), False


def _split(run: Run, dates: np.ndarray) -> tuple[Split, bool]:
    """The test period, with all before it for the formulas; and whether the refitted weights are judged."""
    history = dates[min(_HISTORY, len(dates) // 2)]
    for production in (True, False) if run.header.refit else (False,):
        begin = max(_fitted_to(run, production), history)
        if (dates > begin).sum() >= _FEWEST + run.config.task.steps[-1]:
            return Split(begin, begin, dates[-1]), production
    begin = dates[-min(_IN_SAMPLE, len(dates) // 2)]
    return Split(begin, begin, dates[-1]), False


def _own_panel(run: Run, store: Store) -> Panel:
    """The run's own tickers, whose market means and errors its forecasts read."""
    panel = run.candles(store).panel
    if panel is None:
        raise InputError(f"run {run.name} reads means or errors of its own tickers: fetch them.")
    return panel


def _offsets(run: Run, members: Sequence[Member], trial: Trial, store: Store) -> Offsets:
    """Corrections from the errors of the run's own tickers, as `predict` has them."""
    config, days = run.config, trial.panel.sessions[trial.test_rows]
    theirs = Trial.of(config, _own_panel(run, store), trial.split).dataset
    forecaster = ensemble(members, theirs, Reach.of(config.task), config.weights)
    return rolling_offsets(
        forecaster, theirs, config.calibration, trial.levels, days.min(), days.max(), config.task.context
    )


def _formula(bars: Bars, trial: Trial, number: int) -> Forecaster:
    """A formula fitted to a ticker itself, at the trial's test origins."""
    panel, dataset = trial.panel, own_dataset(bars, trial.config.task.steps)
    rows = trial.test_rows[panel.ticker_of_row[trial.test_rows] == number]
    quantiles = own_quantiles(dataset, rows - panel.offsets[number], trial.levels)
    return lambda wanted: quantiles[np.searchsorted(rows, wanted)]
