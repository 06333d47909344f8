"""The contract of every baseline, and the reference against a slow one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.config.schema import LEVELS
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, Forecaster
from tests.studio import CUTS, assert_coherent, bars, dataset, futures, panel

STEPS = (1, 3)
LENGTHS = (300, 220, 90)
PERIOD = Period(None, np.datetime64("2010-09-30"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(*LENGTHS), STEPS)


def bound(name: str, data: Dataset, levels: tuple[float, ...] = LEVELS) -> Forecaster:
    return FittedBaseline.learnt(name, data, PERIOD, levels).bind(data)


@pytest.fixture(params=BASELINES.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("levels", [LEVELS, (0.5,)])
def test_a_baseline_gives_coherent_quantiles_of_every_origin(
    data: Dataset, name: str, levels: tuple[float, ...]
) -> None:
    rows = np.array([61, 200, 299, 400, 605])
    forecast = bound(name, data, levels)(rows)
    assert forecast.shape == (5, 2, 4, len(levels))
    assert_coherent(forecast)


def test_an_origin_is_forecast_alike_alone_and_among_others(data: Dataset, name: str) -> None:
    forecaster = bound(name, data, LEVELS)
    rows = np.arange(100, 300)
    np.testing.assert_array_equal(forecaster(rows)[37:38], forecaster(rows[37:38]))


@pytest.mark.parametrize("day", CUTS, ids=str)
def test_what_comes_after_does_not_reach_a_baseline(panel_with_holes: Panel, name: str, day: np.datetime64) -> None:
    """Neither the rows after an origin, nor the rows after the period that it learnt from."""
    period, said = Period(None, day), []
    for of in (panel_with_holes, *futures(panel_with_holes, day).values()):
        one = dataset(of, STEPS)
        rows = np.flatnonzero((of.sessions <= day) & one.features.ready)
        said.append(FittedBaseline.learnt(name, one, period, LEVELS).bind(one)(rows))
    assert np.array_equal(said[0], said[1])
    assert np.array_equal(said[0], said[2])


def test_a_point_is_the_median_of_the_quantiles(data: Dataset, name: str) -> None:
    rows = np.arange(100, 200)
    point, full = (bound(name, data, levels)(rows) for levels in ((0.5,), LEVELS))
    np.testing.assert_allclose(point[..., 0], full[..., 3], atol=1e-12)


def slow_sigma(data: Dataset) -> np.ndarray:
    """σ² = max(EWMA r², λ = .94, 1e-6), each weight by hand."""
    sigma = np.full(sum(LENGTHS), 1e-3)
    for ticker in data.panel.tickers:
        rows = data.panel.rows(ticker)
        returns = np.diff(np.log(data.panel.prices[rows, 3]))
        for count in range(1, len(returns) + 1):
            weights = 0.94 ** np.arange(count - 1, -1, -1)
            variance = float((weights * returns[:count] ** 2).sum() / weights.sum())
            sigma[rows.start + count] = math.sqrt(max(variance, 1e-6))
    return sigma


def test_the_reference_is_ewma_volatility_times_pooled_quantiles(data: Dataset) -> None:
    sigma, logs = slow_sigma(data), np.log(data.panel.prices)
    rows = np.array([70, 250, 400, 580])
    forecast = bound("ewma-random-walk", data, LEVELS)(rows)
    origins = data.origins(PERIOD)
    known = data.known(origins, PERIOD)
    for column, step in enumerate(STEPS):
        cells = origins[known[:, column]]
        pooled = [np.quantile((logs[cells + step, v] - logs[cells, 3]) / sigma[cells], LEVELS) for v in range(4)]
        for place, row in enumerate(rows):
            expected = sigma[row] * np.array(pooled)
            expected[1] = np.maximum(expected[1], expected[[0, 3]].max(axis=0))
            expected[2] = np.minimum(expected[2], expected[[0, 3]].min(axis=0))
            np.testing.assert_allclose(forecast[place, column], expected, rtol=1e-9)


def test_the_last_close_carried_forward_is_no_move_at_all(data: Dataset) -> None:
    assert not bound("last-close", data, LEVELS)(np.arange(50)).any()


def test_what_was_learnt_is_arrays_that_forecast_other_candles_too(data: Dataset, name: str) -> None:
    """A run ships a baseline: of other tickers, or of one alone, it says what it would say of them here."""
    learnt = FittedBaseline.learnt(name, data, PERIOD, LEVELS)
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in learnt.fitted.values())
    of_one = Panel.of([bars("T1", 220, 1, str(np.datetime64("2010-01-04") + 21))])
    alone = dataset(of_one, STEPS)
    np.testing.assert_allclose(
        learnt.bind(alone)(np.arange(100, 220)), learnt.bind(data)(np.arange(400, 520)), rtol=1e-9
    )
    stranger = dataset(Panel.of([bars("NEW", 120, 9)]), STEPS)
    assert_coherent(learnt.bind(stranger)(np.array([61, 119])))


def test_climatology_knows_how_each_ticker_moves_and_no_more(data: Dataset) -> None:
    two = dataset(Panel.of([bars("CALM", 600, 1), bars("WILD", 600, 2, volatility=np.full(600, 0.04))]), STEPS)
    period = Period(None, np.datetime64("2011-12-30"))
    quantiles = FittedBaseline.learnt("climatology", two, period, LEVELS).bind(two)(np.arange(1200))
    assert np.all(np.ptp(quantiles[:600], axis=0) == 0), "the same every day"
    rows = two.origins(period)
    own = two.moves(rows[(rows < 600) & two.known(rows, period)[:, 0]])[:, 0, 3]
    np.testing.assert_allclose(quantiles[0, 0, 3], np.quantile(own, LEVELS), rtol=1e-9)
    width = quantiles[..., 3, -1] - quantiles[..., 3, 0]
    assert np.all(width[700] > 2 * width[100])
    few = bound("climatology", data, LEVELS)(np.array([61]))
    assert np.array_equal(few, bound("constant", data, LEVELS)(np.array([61]))), "too little history: all tickers' own"


def test_a_ticker_that_never_moves_spoils_nobodys_forecast(name: str) -> None:
    flat = bars("FLAT", 300, 3)
    still = {key: np.full(300, 50.0) for key in ("open", "high", "low", "close", "adj_close")}
    mixed = dataset(Panel.of([bars("T0", 300, 1), replace(flat, **still)]), STEPS)
    forecast = FittedBaseline.learnt(name, mixed, PERIOD, LEVELS).bind(mixed)(np.arange(61, 600))
    assert np.isfinite(forecast).all()


def test_garch_learns_from_its_period_alone() -> None:
    """What it learns of the last days is what it learns where no others came before them."""
    whole = dataset(Panel.of([bars("T", 1600, 4)]), STEPS)
    tail = dataset(Panel.of([bars("T", 1600, 4).between(start=whole.panel.sessions[799])]), STEPS)
    late = Period(whole.panel.sessions[799], whole.panel.sessions[-1])
    learnt = [FittedBaseline.learnt("garch", data, late, LEVELS).fitted["parameters"] for data in (whole, tail)]
    np.testing.assert_allclose(*learnt, rtol=1e-6)
    everything = FittedBaseline.learnt("garch", whole, Period(None, late.end), LEVELS).fitted["parameters"]
    assert not np.allclose(everything, learnt[0], rtol=0.01)
