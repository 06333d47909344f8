"""Expected range and volatility: integrals of the quantiles, and how well they are forecast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from forecaster.config.schema import LEVELS
from forecaster.data.coherence import coherent
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.evaluation.metrics import qlike
from forecaster.evaluation.scores import Scores, score
from forecaster.evaluation.widths import width_measures
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.inference.volatility import annualised, expected_range, mean, square, variance
from tests.studio import bars, dataset, persistent_volatility

BORDER = np.datetime64("2014-01-01")
TRAIN, TEST = Period(None, BORDER), Period(BORDER, np.datetime64("2015-08-01"))
SORTED = st.lists(st.floats(-0.2, 0.2), min_size=7, max_size=7).map(sorted)


def curve(quantiles: np.ndarray) -> Callable[[float], float]:
    """The quantile function by hand: linear between the levels, exponential beyond."""
    low, high = (quantiles[1] - quantiles[0]) / np.log(2), (quantiles[-1] - quantiles[-2]) / np.log(2)

    def at(level: float) -> float:
        if level < LEVELS[0]:
            return float(quantiles[0] - low * np.log(0.05 / level))
        if level > LEVELS[-1]:
            return float(quantiles[-1] + high * np.log(0.05 / (1 - level)))
        return float(np.interp(level, LEVELS, quantiles))

    return at


@given(SORTED)
def test_mean_and_square_are_integrals_of_the_quantile_function(values: list[float]) -> None:
    quantiles, at = np.array(values), curve(np.array(values))
    whole = integrate.quad(at, 0, 1, points=LEVELS, limit=200)[0]
    squared = integrate.quad(lambda level: at(level) ** 2, 0, 1, points=LEVELS, limit=200)[0]
    assert mean(quantiles[None], LEVELS)[0] == pytest.approx(whole, abs=1e-6)
    assert square(quantiles[None], LEVELS)[0] == pytest.approx(squared, abs=1e-6)


def test_of_a_uniform_forecast_the_moments_are_known() -> None:
    uniform = np.array([np.asarray(LEVELS) * 0.01, np.full(7, 0.03), np.full(7, -0.02), np.asarray(LEVELS) * 0.12])
    assert expected_range(uniform[None], LEVELS)[0] == pytest.approx(0.05)
    assert variance(uniform[None], LEVELS)[0] == pytest.approx(0.12**2 / 12, rel=0.15)
    yearly = annualised(np.array([0.0001, 0.0004]), (1, 4), 252)
    np.testing.assert_allclose(yearly, [0.01 * 252**0.5] * 2)


def test_qlike_is_least_where_the_expected_value_is_the_mean() -> None:
    outcomes = np.random.default_rng(0).gamma(2.0, 0.5, 200_000)
    losses = {scale: qlike(np.full_like(outcomes, scale), outcomes).mean() for scale in (0.8, 1.0, 1.25)}
    assert losses[1.0] < min(losses[0.8], losses[1.25])
    assert qlike(outcomes, outcomes).max() == 0


@pytest.fixture(scope="module")
def data() -> Dataset:
    paths = [persistent_volatility(1500, seed) for seed in range(4)]
    return dataset(Panel.of([bars(f"T{n}", 1500, n, volatility=path) for n, path in enumerate(paths)]), (1, 3))


def both(data: Dataset) -> dict[str, Scores]:
    """One that knows the day's volatility beside one that does not."""
    train, test = (
        Period(None, np.datetime64("2014-01-01")),
        Period(np.datetime64("2014-01-01"), np.datetime64("2015-08-01")),
    )
    base = pooled_quantiles(data, train, data.units, LEVELS)
    flat = pooled_quantiles(data, train, lambda rows: np.ones((len(rows), 2)), LEVELS)
    rows = data.origins(test)
    known = score(lambda r: coherent(base * data.units(r)[..., None, None]), data, rows, test, LEVELS)
    return {
        "known": known,
        "flat": score(lambda r: coherent(np.repeat(flat[None], len(r), 0)), data, rows, test, LEVELS),
    }


def test_who_knows_the_volatility_forecasts_range_and_volatility_better(data: Dataset) -> None:
    scores = both(data)
    dates = data.panel.sessions[data.origins(TEST)]
    measures = list(width_measures(scores, dates, (1, 3)))
    assert [(one.quantity, one.step) for one in measures] == [
        ("range", 1),
        ("range", 3),
        ("volatility", 1),
        ("volatility", 3),
    ]
    for one in measures:
        assert (one.name, one.baseline, one.score) == ("known", "flat", "qlike")
        assert one.skill is not None
        assert one.skill > 0.03
    (first, *_) = measures
    assert first.dm_statistic is not None
    assert first.dm_statistic < -3


def test_the_expected_range_is_the_mean_of_those_that_came(data: Dataset) -> None:
    base = pooled_quantiles(data, TRAIN, data.units, LEVELS)
    rows = data.origins(TRAIN)
    rows = rows[data.known(rows, TRAIN).all(axis=1)]
    moves = data.moves(rows) / data.units(rows)[..., None]
    came = (moves[..., 1] - moves[..., 2]).mean(axis=0)
    np.testing.assert_allclose(expected_range(base, LEVELS), came, rtol=0.03)
    np.testing.assert_allclose(variance(base, LEVELS), moves[..., 3].var(axis=0), rtol=0.1)


def test_a_forecast_without_bands_has_no_widths(data: Dataset) -> None:
    rows = data.origins(TEST)
    for levels in ((0.5,), LEVELS):
        zeros = np.zeros((len(rows), 2, 4, len(levels)))
        assert score(lambda r, of=zeros: of[: len(r)], data, rows, TEST, levels).widths is None  # type: ignore[misc]
