"""Coverage, PIT, skill by group and the echo check, against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.splits import Period
from forecaster.evaluation.diagnostics import Tally, coverage_by, echo, months, pit, skill_by
from forecaster.evaluation.rows import find
from forecaster.evaluation.scorecard import make_scorecard
from forecaster.evaluation.scores import SHARES, Scores, score
from forecaster.features.dataset import Dataset, Rows
from tests.studio import dataset, panel

PERIOD = Period(np.datetime64("2010-05-03"), np.datetime64("2010-07-16"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(140, 120), (1, 5))


def fan(width: float, shape: tuple[int, ...]) -> np.ndarray:
    return width * np.linspace(-2, 2, 7) * np.ones((*shape, 4, 1))


def scores(data: Dataset, rows: Rows, width: float) -> Scores:
    return score(lambda r: fan(width, (len(r), 2)), data, rows, PERIOD, LEVELS)


def test_shares_below_are_counted_among_known_outcomes_alone() -> None:
    quantiles = fan(1.0, (3, 2))
    outcomes = np.zeros((3, 2, 4)) + np.array([-3.0, 0.0, 3.0])[:, None, None]
    known = np.array([[True, True], [True, True], [True, False]])
    reached = Tally.of(quantiles, outcomes, known).reached()
    np.testing.assert_allclose(reached[0, :3], (1 / 3 + 1 / 2) / 2)  # the lowest alone lies below these levels
    np.testing.assert_allclose(reached[0, 3:], (2 / 3 + 1) / 2)  # an outcome at the median is not above it


def test_an_unknown_outcome_counts_nothing_even_if_it_is_no_number() -> None:
    outcomes = np.zeros((2, 1, 4))
    outcomes[1] = np.nan
    tally = Tally.of(fan(1.0, (2, 1)), outcomes, np.array([[True], [False]]))
    assert tally.known.tolist() == [1]
    assert tally.below.max() == 1


def test_tallies_of_two_halves_add_up_to_that_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    outcomes, known = rng.normal(size=(40, 2, 4)), rng.random((40, 2)) < 0.8
    quantiles = fan(0.7, (40, 2))
    halves = [Tally.of(quantiles[part], outcomes[part], known[part]) for part in (slice(25), slice(25, 40))]
    whole = Tally.of(quantiles, outcomes, known)
    assert np.array_equal((halves[0] + halves[1]).reached(), whole.reached())


def test_pit_of_a_calibrated_forecast_is_flat_and_of_a_narrow_one_a_u() -> None:
    flat = pit(np.tile(LEVELS, (4, 1)), LEVELS)
    np.testing.assert_allclose(flat, np.ones((4, 8)))
    narrow = pit(np.tile([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], (4, 1)), LEVELS)
    assert (narrow[:, [0, -1]] > 2).all()
    assert (narrow[:, 3:5] < 1).all()
    np.testing.assert_allclose(narrow @ np.diff([0, *LEVELS, 1]), 1)  # it is a density


def test_pit_of_a_median_alone_has_two_halves() -> None:
    np.testing.assert_allclose(pit(np.full((4, 1), 0.6), (0.5,)), np.tile([1.2, 0.8], (4, 1)))


def test_the_skill_of_one_group_with_all_origins_is_the_scorecards(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    own, other = scores(data, rows, 0.01), scores(data, rows, 0.03)
    card = make_scorecard({"own": own, "other": other}, data.panel.sessions[rows], 2, data.steps)
    (skill,) = skill_by(np.zeros(len(rows), int), 1, own, other)
    assert skill == pytest.approx(find(card.rows, "own", "mean", "all", "other").skill_pinball)


def test_skill_and_band_of_a_group_are_those_of_its_origins_scored_alone(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    ticker = data.panel.ticker_of_row[rows]
    own, other = scores(data, rows, 0.01), scores(data, rows, 0.03)
    alone = [scores(data, rows[ticker == 1], width) for width in (0.01, 0.03)]
    (expected,) = skill_by(np.zeros((ticker == 1).sum(), int), 1, *alone)
    assert skill_by(ticker, 2, own, other)[1] == pytest.approx(expected)
    held = coverage_by(ticker, 2, own, SHARES.index(0.8))
    assert held is not None
    band = alone[0].inside[SHARES.index(0.8)]
    assert band is not None
    by_step = [band[alone[0].known[:, step], step].mean() for step in range(2)]
    assert held[1] == pytest.approx(np.mean(by_step))


def test_a_group_without_origins_has_no_skill_rather_than_a_wrong_one(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    found = skill_by(np.zeros(len(rows), int), 2, scores(data, rows, 0.01), scores(data, rows, 0.03))
    assert np.isfinite(found).tolist() == [True, False]


def test_a_step_that_a_group_does_not_know_is_left_out(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    late = (data.known(rows, PERIOD)[:, 1] == 0).astype(int)
    assert late.any()
    found = skill_by(late, 2, scores(data, rows, 0.01), scores(data, rows, 0.03))
    assert np.isfinite(found).all()


def test_a_forecast_without_bands_holds_nothing(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    point = score(lambda r: np.zeros((len(r), 2, 4, 1)), data, rows, PERIOD, (0.5,))
    assert coverage_by(np.zeros(len(rows), int), 1, point, SHARES.index(0.8)) is None


def test_months_are_those_of_the_origins_in_order() -> None:
    names, place = months(np.array(["2010-03-01", "2010-01-29", "2010-03-31"], "datetime64[D]"))
    assert names.astype(str).tolist() == ["2010-01", "2010-03"]
    assert place.tolist() == [1, 0, 1]


def walk(rows: int = 400) -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).normal(0, 0.01, rows))


def around(closes: np.ndarray, origins: np.ndarray, step: int) -> np.ndarray:
    return closes[origins[:, None] + step - np.arange(step + 3)] - closes[origins, None]


def test_carrying_the_last_close_forward_is_an_echo() -> None:
    closes, origins = walk(), np.arange(10, 390)
    found = echo(2, np.zeros(len(origins)), around(closes, origins, 2))
    assert found.nearest == 2
    assert found.is_echo
    assert found.misses[2] == 0
    assert found.correlation is None, "what never moves is not correlated"


def test_knowing_the_future_is_no_echo() -> None:
    closes, origins = walk(), np.arange(10, 390)
    found = echo(2, closes[origins + 2] - closes[origins], around(closes, origins, 2))
    assert found.nearest == 0
    assert not found.is_echo
    assert found.correlation == pytest.approx(1)


def test_an_origin_that_lacks_a_close_is_left_out() -> None:
    closes, origins = walk(), np.arange(10, 390)
    lacking = around(closes, origins, 2)
    lacking[3, 4] = np.nan
    moves = np.random.default_rng(0).normal(0, 0.01, len(origins))
    kept = np.arange(len(origins)) != 3
    assert echo(2, moves, lacking) == echo(2, moves[kept], lacking[kept])
