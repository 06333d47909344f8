"""Scores the odds of touches on whole paths, and the ranking of tickers by range, beside what one gets for free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.baselines.random_walk import daily_deviation
from forecaster.data.coherence import HIGH, LOW
from forecaster.data.splits import Period
from forecaster.evaluation.rows import Measure, Reliability
from forecaster.evaluation.widths import COMPARED, compared
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.paths import PathMaker, Templates
from forecaster.inference.volatility import expected_range
from forecaster.positions.formula import touch

TOUCH, RANK = "touch-odds", "range-rank"
"""The quantities that are measured."""

FORMULA = "random-walk-formula"
"""The driftless random walk that touches are compared with."""

_WITHIN = 5
_PATHS = 200
_AWAY = (0.5, 1.0, 1.5, 2.0)
"""Distances of the prices, up and down, in deviations of the random walk over all sessions."""

_BINS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Bounds of the chances that are compared with what happened."""

_BLOCK = 512
"""Origins whose paths are drawn at once."""

_FEWEST = 10
"""Fewest tickers of a day that can be ranked."""

Chances = Float[np.ndarray, "origin price 2"]
"""Of a touch of each price above and below."""


def path_odds(
    forecasters: Sequence[tuple[str, Forecaster]],
    dataset: Dataset,
    rows: Rows,
    period: Period,
    templates: Templates | None,
    levels: tuple[float, ...],
) -> Iterator[Measure]:
    """Brier score of touches within five sessions beside the formula, and rank correlation of ranges beside HAR.

    The touches' reliability goes with their score.

    Reads every fifth date (or as many as the paths have sessions), so that no session counts twice.
    """
    if templates is None:
        return
    length = min(_WITHIN, templates.shape[1])
    dates = dataset.panel.sessions[rows]
    chosen = np.isin(dates, np.unique(dates)[::length]) & dataset.known(rows, period)[:, length - 1]
    if not chosen.any():
        return
    rows, dates = rows[chosen], dates[chosen]
    (name, forecaster), others = forecasters[0], dict(forecasters[1:])
    quantiles = forecaster(rows)
    said, came = _said(quantiles[:, :length], dataset, rows, PathMaker.of(templates[:, :length], levels))
    known = np.ones(len(rows), bool)
    found = compared(name, TOUCH, length, "brier", _brier(said, came), known, dates, FORMULA, overlap=1)
    yield replace(found, reliability=tuple(reliability(said, came)))
    if COMPARED in others:
        yield from _ranks(name, (quantiles, others[COMPARED](rows)), dataset, rows, dates, levels)


def _said(
    quantiles: Float[np.ndarray, "origin step variable quantile"], dataset: Dataset, rows: Rows, maker: PathMaker
) -> tuple[Chances, Chances]:
    """Chances that the paths give to touches of the prices above and below, and what came, 0 or 1."""
    length = quantiles.shape[1]
    distance = np.multiply.outer(daily_deviation(dataset)[rows] * np.sqrt(length), np.array(_AWAY))
    came = _touched(dataset.moves(rows)[:, None, :length], distance)
    picks = np.random.default_rng(1).integers(len(maker), size=(len(rows), _PATHS), dtype=np.int32)
    blocks = range(0, len(rows), _BLOCK)
    return np.concatenate([_chances(quantiles, maker, picks, distance, start) for start in blocks]), came


def _brier(said: Chances, came: Chances) -> tuple[Float[np.ndarray, " origin"], Float[np.ndarray, " origin"]]:
    """Brier scores of the paths and of the formula, mean over prices.

    The paths' is the fair one, as if there were infinitely many.

    Source: Ferro (2014), "Fair scores for ensemble forecasts".
    """
    fair = (said - came) ** 2 - said * (1 - said) / (_PATHS - 1)
    walk = touch(np.array(_AWAY), np.ones(len(_AWAY)))[:, None]
    return fair.mean(axis=(1, 2)), ((walk - came) ** 2).mean(axis=(1, 2))


def reliability(said: Chances, came: Chances) -> Iterator[Reliability]:
    """How often what was given a chance happened, by the chance; bins without forecasts are left out.

    Source: Murphy & Winkler (1977), "Reliability of subjective probability forecasts of precipitation and temperature".
    """
    place = np.searchsorted(_BINS, said.ravel(), "right") - 1
    place = np.minimum(place, len(_BINS) - 2)  # a chance of 1 belongs to the last one
    for number, (low, high) in enumerate(pairwise(_BINS)):
        if (inside := place == number).any():
            given, happened = (float(one.ravel()[inside].mean()) for one in (said, came))
            yield Reliability(low, high, int(inside.sum()), given, happened)


def _chances(
    quantiles: Float[np.ndarray, "origin step variable quantile"],
    maker: PathMaker,
    picks: Int[np.ndarray, "origin path"],
    distance: Float[np.ndarray, "origin price"],
    start: int,
) -> Float[np.ndarray, "some price 2"]:
    block = slice(start, start + _BLOCK)
    return _touched(maker.map(quantiles[block], picks[block]), distance[block])


def _touched(
    moves: Float[np.ndarray, "origin path step variable"], distance: Float[np.ndarray, "origin price"]
) -> Float[np.ndarray, "origin price 2"]:
    """Share of paths that touch the prices above and below."""
    highest, lowest = moves[..., HIGH].max(axis=-1), moves[..., LOW].min(axis=-1)
    up, down = highest[:, :, None] >= distance[:, None], lowest[:, :, None] <= -distance[:, None]
    return np.stack([up.mean(axis=1), down.mean(axis=1)], axis=-1)


def _ranks(
    name: str,
    quantiles: tuple[np.ndarray, np.ndarray],
    dataset: Dataset,
    rows: Rows,
    dates: Shaped[np.ndarray, " origin"],
    levels: tuple[float, ...],
) -> Iterator[Measure]:
    """1 − the rank correlation of forecast and actual ranges of the first step, by day."""
    moves = dataset.moved(rows, dataset.steps[0])
    actual = moves[:, HIGH] - moves[:, LOW]
    days = [found for day in np.unique(dates) if len(found := np.flatnonzero(dates == day)) >= _FEWEST]
    if not days:
        return
    losses = []
    for one in quantiles:
        expected = expected_range(one[:, 0], levels)
        losses.append(np.array([1 - rank_correlation(expected[day], actual[day]) for day in days]))
    first = np.array([dates[day[0]] for day in days])
    known = np.ones(len(days), bool)
    yield compared(name, RANK, dataset.steps[0], "1 - rank correlation", (losses[0], losses[1]), known, first, COMPARED)


def rank_correlation(one: Float[np.ndarray, " ticker"], other: Float[np.ndarray, " ticker"]) -> float:
    """Spearman's rank correlation; equal values share their mean rank. 0 where one side does not vary."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (one, other)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
