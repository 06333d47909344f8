"""Recomputes a run's forecasts of its test period for everything that the scorecard lacks (the report's figures)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.coherence import CLOSE
from forecaster.evaluation.diagnostics import Echo, Tally, coverage_by, echo, months, pit, skill_by
from forecaster.evaluation.explorer import Shown, TickerView, explored_rows, explored_values, explorer
from forecaster.evaluation.scorecard import Scorecard, make_scorecard
from forecaster.evaluation.scores import SHARES, Scores, score
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.trial import Trial

_BLOCK = 16_384
"""Origins forecast at once: limits memory."""

_OLDER = 3
"""Sessions before the last close whose closes the echo check compares too."""


@dataclass(frozen=True, eq=False)
class Grouped:
    """Skill and coverage of each month, or of each ticker.

    Args:
        skill: over the baseline, a fraction; NaN where there was nothing to score.
        held: coverage of the 80 % band; None for a forecast without bands.
    """

    names: tuple[str, ...]
    origins: Int[np.ndarray, " group"]
    skill: Float[np.ndarray, " group"]
    held: Float[np.ndarray, " group"] | None


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Diagnostics of the forecasts of a test period.

    Args:
        card: scores of the model and of its reference baseline only.
        first: date of the oldest candle.
        reached: share of outcomes at or below each quantile, mean over steps.
        pit: density between 0, the levels and 1.
        echoes: one per step.
        explorer: one per ticker, with the forecasts of its last origins.
    """

    card: Scorecard
    first: str
    levels: tuple[float, ...]
    reached: Float[np.ndarray, "variable quantile"]
    pit: Float[np.ndarray, "variable interval"]
    by_month: Grouped
    by_ticker: Grouped
    echoes: tuple[Echo, ...]
    explorer: tuple[TickerView, ...]


def diagnose(forecasters: Mapping[str, Forecaster], trial: Trial) -> Diagnosis:
    """Forecasts the origins of the test period and compares the forecasts with the actual prices.

    Args:
        forecasters: the model, then the baseline that it is compared with.
    """
    (name, model), (other, reference), *_ = forecasters.items()
    dataset, rows, levels = trial.dataset, trial.test_rows, trial.levels
    shown = explored_rows(dataset, rows, levels)
    parts = [_diagnose_block(model, trial, block, shown) for block in _blocks(rows)]
    own = Scores.joined([part.scores for part in parts])
    scores = {name: own, other: score(reference, dataset, rows, trial.test, levels)}
    ticker, dates = dataset.panel.ticker_of_row[rows], dataset.panel.sessions[rows]
    reached = reduce(add, (part.tally for part in parts)).reached()
    month_names, month = months(dates)
    seen, place = np.unique(ticker, return_inverse=True)
    return Diagnosis(
        card=make_scorecard(scores, dates, len(seen), dataset.steps),
        first=str(dataset.panel.dates[0]),
        levels=levels,
        reached=reached,
        pit=pit(reached, levels),
        by_month=_grouped(month_names.astype(str), month, *scores.values()),
        by_ticker=_grouped(np.asarray(dataset.panel.tickers)[seen], place, *scores.values()),
        echoes=_echoes(np.concatenate([part.medians for part in parts]), dataset, rows, own),
        explorer=explorer(dataset, trial.test, shown, np.concatenate([part.values for part in parts])),
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """What is kept of one block of forecasts: the quantiles of all origins would not fit in memory."""

    scores: Scores
    tally: Tally
    medians: Float[np.ndarray, "origin horizon"]
    values: Float[np.ndarray, "shown horizon value"]


def _blocks(rows: Rows) -> Iterator[Rows]:
    yield from (rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK))


def _diagnose_block(model: Forecaster, trial: Trial, rows: Rows, shown: Shown) -> _Part:
    quantiles, dataset, levels = model(rows), trial.dataset, trial.levels
    return _Part(
        # `score` forecasts in smaller blocks of its own, which are looked up here instead.
        scores=score(lambda some: quantiles[np.searchsorted(rows, some)], dataset, rows, trial.test, levels),
        tally=Tally.of(quantiles, dataset.moves(rows), dataset.known(rows, trial.test)),
        medians=quantiles[:, :, CLOSE, levels.index(0.5)],
        values=explored_values(quantiles[np.isin(rows, shown)], levels),
    )


def _grouped(names: Shaped[np.ndarray, " group"], group: Int[np.ndarray, " origin"], *pair: Scores) -> Grouped:
    own, reference = pair
    return Grouped(
        names=tuple(map(str, names)),
        origins=np.bincount(group, minlength=len(names)),
        skill=skill_by(group, len(names), own, reference),
        held=coverage_by(group, len(names), own, SHARES.index(0.8)),
    )


def _echoes(
    medians: Float[np.ndarray, "origin horizon"], dataset: Dataset, rows: Rows, scores: Scores
) -> tuple[Echo, ...]:
    closes = dataset.logs[:, CLOSE]
    echoes = []
    for place, step in enumerate(dataset.steps):
        chosen = rows[scores.known[:, place]]
        # [origin, lag]: lag 0 is the day that is forecast, lag `step` the origin.
        days = chosen[:, None] + step - np.arange(step + _OLDER + 1)
        around = closes[np.maximum(days, 0)] - closes[chosen, None]
        # Before the ticker's first row lies another ticker.
        around[days < dataset.first_row[chosen, None]] = np.nan
        echoes.append(echo(step, medians[scores.known[:, place], place], around))
    return tuple(echoes)
