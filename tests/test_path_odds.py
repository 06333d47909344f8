"""Scores of touches and of rankings: what they are by hand, and that they see a better and a worse forecast."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.config.schema import LEVELS, Config
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.evaluation.pathodds import FORMULA, RANK, TOUCH, path_odds, rank_correlation, reliability
from forecaster.evaluation.rows import Measure
from forecaster.features.dataset import Dataset
from forecaster.inference.paths import draw_templates
from tests.studio import bars, dataset, persistent_volatility

STEPS = (1, 2, 3, 4, 5)
PAST = Period(None, np.datetime64("2013-06-28"))
LATER = Period(PAST.end, np.datetime64("2014-10-30"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    from forecaster.data.panel import Panel

    return dataset(
        Panel.of([bars(f"T{n}", 1300, n, volatility=(1 + n / 4) * persistent_volatility(1300, n)) for n in range(12)]),
        STEPS,
    )


@pytest.fixture(scope="module")
def templates(data: Dataset) -> np.ndarray:
    found = draw_templates(data, PAST, Config.model_validate({"model": {"name": "gru"}, "task": {"horizon": STEPS}}))
    assert found is not None
    return found


def measured(data: Dataset, templates: np.ndarray, factor: float, order: int = 1) -> dict[str, Measure]:
    """Measures of base quantiles in units of the known volatility, times a factor, with tickers in some order."""
    base = data.base(PAST, LEVELS)

    def scaled(wider: float, turned: int) -> object:
        def walk(rows: np.ndarray) -> np.ndarray:
            units = data.units(rows)[:, :, None, None] ** turned
            return coherent(wider * base * units * (1.0 if turned == 1 else 4e-4))

        return walk

    both = [("mine", scaled(factor, order)), ("ewma-random-walk", scaled(1.0, 1)), ("har", scaled(1.0, 1))]
    rows = data.origins(LATER)
    found = path_odds(both, data, rows, LATER, templates, LEVELS)  # type: ignore[arg-type]
    return {one.quantity: one for one in found}


def test_a_forecast_in_the_right_units_has_a_better_brier_score_than_one_too_wide(
    data: Dataset, templates: np.ndarray
) -> None:
    right, wide, narrow = (measured(data, templates, factor)[TOUCH] for factor in (1.0, 1.8, 0.5))
    assert (right.step, right.score, right.baseline) == (5, "brier", FORMULA)
    assert right.loss is not None
    assert wide.loss is not None
    assert narrow.loss is not None
    assert right.loss < min(wide.loss, narrow.loss)
    assert 0.05 < right.loss < 0.2
    assert right.skill is not None
    assert right.skill > 0, "the formula's walk is watched without pause, candles are not"


def test_a_ranking_as_good_as_the_other_has_no_skill_and_a_reversed_one_is_worse(
    data: Dataset, templates: np.ndarray
) -> None:
    same, turned = measured(data, templates, 1.0)[RANK], measured(data, templates, 1.0, -1)[RANK]
    assert (same.step, same.baseline, same.skill) == (1, "har", 0.0)
    assert same.loss is not None
    assert turned.loss is not None
    assert same.loss < 0.7
    assert turned.loss == pytest.approx(2 - same.loss, abs=0.05)


def test_without_templates_nothing_is_measured(data: Dataset) -> None:
    assert list(path_odds([], data, data.origins(LATER), LATER, None, LEVELS)) == []


def test_rank_correlation_by_hand() -> None:
    one = np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(one, np.array([10.0, 20.0, 40.0, 30.0])) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, np.ones(4)) == 0


def test_reliability_by_hand() -> None:
    said = np.array([0.0, 0.04, 0.05, 0.3, 0.3, 1.0, 0.9, 0.85]).reshape(2, 2, 2)
    came = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).reshape(2, 2, 2)
    found = list(reliability(said, came))
    assert [(one.low, one.high, one.count) for one in found] == [
        (0, 0.05, 2),
        (0.05, 0.1, 1),
        (0.3, 0.4, 2),
        (0.8, 1, 3),
    ]
    assert [one.happened for one in found] == pytest.approx([0.5, 0, 0.5, 2 / 3])
    assert found[-1].given == pytest.approx((1 + 0.9 + 0.85) / 3)


def test_reliability_sees_a_forecast_that_is_too_wide(data: Dataset, templates: np.ndarray) -> None:
    right, wide = (measured(data, templates, factor)[TOUCH].reliability for factor in (1.0, 1.8))
    assert sum(one.count for one in right) == sum(one.count for one in wide)
    off = [sum(one.count * (one.given - one.happened) for one in bins) / 1e4 for bins in (right, wide)]
    assert abs(off[0]) < off[1] / 2
    assert measured(data, templates, 1.0)[RANK].reliability == ()
