"""Coherent candle paths: their marginals, their candles, what they know of each other, and their seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.config.schema import LEVELS, Config
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.evaluation.pathrange import path_ranges
from forecaster.features.dataset import Dataset
from forecaster.inference.joint import require_paths
from forecaster.inference.paths import PathMaker, contiguous, draw_templates
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, assert_coherent, dataset, panel

pytest_plugins = ("tests.studio_fixtures",)

STEPS = (1, 2, 3, 4, 5, 20)
PERIOD = Period(None, np.datetime64("2013-06-28"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(1200, 1100, 900), STEPS)


def config(**task: object) -> Config:
    return Config.model_validate({"model": {"name": "gru"}, "task": {"horizon": STEPS} | task})


@pytest.fixture(scope="module")
def templates(data: Dataset) -> np.ndarray:
    found = draw_templates(data, PERIOD, config())
    assert found is not None
    return found


def forecast(templates: np.ndarray, width: float = 0.02) -> np.ndarray:
    """Quantiles of another shape than the templates': narrower below, and shifted."""
    own = np.moveaxis(np.quantile(templates, LEVELS, axis=0), 0, -1)
    return coherent(width * np.where(own < 0, 0.6 * own, 1.3 * own) + 0.001)


def test_paths_cover_the_contiguous_steps() -> None:
    assert [contiguous(steps) for steps in ((1,), (1, 2, 3), STEPS, (2, 3), (1, 3))] == [1, 3, 5, 0, 1]


def test_templates_are_stretches_that_really_happened(data: Dataset, templates: np.ndarray) -> None:
    rows = data.origins(PERIOD)
    rows = rows[data.known(rows, PERIOD)[:, 4]]
    happened = (data.moves(rows)[:, :5] / data.units(rows)[:, :5, None]).astype(np.float32)
    assert templates.shape == (len(rows), 5, 4), "all of them, where there are no more than are kept"
    assert {one.tobytes() for one in templates} == {one.tobytes() for one in happened}


def test_a_run_without_a_first_step_or_bands_has_no_templates(data: Dataset) -> None:
    later = dataset(data.panel, (2, 5))
    assert draw_templates(later, PERIOD, config()) is None
    assert draw_templates(data, PERIOD, config(head="point")) is None
    for steps, levels in (((2, 5), LEVELS), ((1, 2), (0.5,))):
        with pytest.raises(InputError, match="run mine can draw no paths: they need bands from step 1 on"):
            require_paths(levels, steps, "mine")
    assert require_paths(LEVELS, STEPS, "mine") == 5


def sample(templates: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Paths along templates that are drawn at random."""
    chosen = np.random.default_rng(seed).integers(len(templates), size=count)
    return PathMaker.of(templates, LEVELS).map(forecast(templates), chosen)


def test_paths_are_coherent_candles(templates: np.ndarray) -> None:
    paths = sample(templates, 500, 1)
    assert paths.shape == (500, 5, 4)
    assert_coherent(paths[..., None])


def test_the_marginals_of_many_paths_are_the_forecasts_quantiles(templates: np.ndarray) -> None:
    quantiles = forecast(templates)
    paths = sample(templates, 40_000, 2)
    drawn = np.moveaxis(np.quantile(paths, LEVELS, axis=0), 0, -1)
    share = (paths[..., None] <= quantiles[None]).mean(axis=0)
    assert np.abs(share - np.asarray(LEVELS)).max() < 0.012
    assert np.abs(drawn - quantiles).max() < 0.03 * np.ptp(quantiles)


def test_beyond_the_outer_quantiles_a_path_goes_on_with_their_slope(templates: np.ndarray) -> None:
    own = np.moveaxis(np.quantile(templates, LEVELS, axis=0), 0, -1)
    same = PathMaker.of(templates, LEVELS).map(own, np.arange(len(templates)))
    np.testing.assert_allclose(same, coherent(templates[..., None].astype(float))[..., 0], atol=1e-6)


@pytest.mark.parametrize(("outer", "inner"), [(0, 2), (-1, -3)])
def test_the_slope_beyond_an_outer_quantile_is_that_of_the_two_intervals_within(
    templates: np.ndarray, outer: int, inner: int
) -> None:
    """Of opens and closes, which no clamp moves; the forecast's quantiles are no straight line of the templates'."""
    own = np.moveaxis(np.quantile(templates, LEVELS, axis=0), 0, -1)
    quantiles = coherent(0.02 * np.sinh(own))
    paths = PathMaker.of(templates, LEVELS).map(quantiles, np.arange(len(templates)))
    beyond = (templates < own[..., outer]) if outer == 0 else (templates > own[..., outer])
    slope = (quantiles[..., outer] - quantiles[..., inner]) / (own[..., outer] - own[..., inner])
    expected = quantiles[..., outer] + slope * (templates - own[..., outer])
    for variable in (0, 3):
        chosen = beyond[..., variable]
        assert chosen.mean() == pytest.approx(0.05, abs=0.01)
        np.testing.assert_allclose(paths[..., variable][chosen], expected[..., variable][chosen], rtol=1e-9)


def test_the_range_of_paths_is_scored_and_independent_days_do_worse(data: Dataset, templates: np.ndarray) -> None:
    """Templates whose days were dealt out anew have the same marginals, and another range."""
    rng = np.random.default_rng(0)
    dealt = np.stack([rng.permutation(templates[:, step]) for step in range(5)], axis=1)
    period = Period(PERIOD.end, np.datetime64("2014-06-30"))
    rows = data.origins(period)

    def walk(origins: np.ndarray) -> np.ndarray:
        base = np.moveaxis(np.quantile(templates, LEVELS, axis=0), 0, -1)
        return coherent(base * data.units(origins)[:, :5, None, None])

    both = [("one", walk), ("other", walk)]
    (whole,) = path_ranges(both, data, rows, period, templates, LEVELS)
    (apart,) = path_ranges(both, data, rows, period, dealt, LEVELS)
    assert (whole.quantity, whole.step, whole.score, whole.skill) == ("path-range", 5, "pinball", 0.0)
    assert whole.loss is not None
    assert apart.loss is not None
    assert whole.loss < 0.95 * apart.loss


def test_predict_gives_paths_that_repeat(trained: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    places = ("--run", trained.folder, "--data-dir", store)
    answers = [say("predict", "AAPL", "--paths", 5, "--seed", 9, "--format", "json", *places) for _ in range(2)]
    assert answers[0].out == answers[1].out
    (one,) = json.loads(answers[0].out)
    assert (len(one["paths"]), len(one["paths"][0])) == (5, 3)
    candles = np.array(
        [[[step[name] for name in ("open", "high", "low", "close")] for step in path] for path in one["paths"]]
    )
    assert_coherent(candles[..., None])
    rows = list(
        csv.DictReader(io.StringIO(say("predict", "AAPL", "--paths", 5, "--seed", 9, "--format", "csv", *places).out))
    )
    drawn = [row for row in rows if row["path"]]
    assert len(drawn) == 5 * 3 * 4
    assert float(drawn[0]["value"]) == candles[0, 0, 0]
    (short,) = predict(["AAPL"], run=str(trained.folder), data_dir=store, paths=5, seed=9, horizon=2)
    assert short.paths is not None
    assert short.paths.shape == (5, 2, 4)


def test_the_screen_tells_how_far_the_paths_span(trained: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    places = ("--run", trained.folder, "--data-dir", store)
    shown = say("predict", "AAPL", "--paths", 50, *places).out
    (one,) = predict(["AAPL"], run=str(trained.folder), data_dir=store, paths=50)
    assert one.paths is not None
    spans = one.paths[:, :, 1].max(axis=1) / one.paths[:, :, 2].min(axis=1) - 1
    assert f"50 paths over 3 sessions: low to high {np.median(spans):.1%}, four of five" in shown


def test_bad_counts_are_one_line(trained: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    answer = say("predict", "AAPL", "--paths", 0, "--run", trained.folder, "--data-dir", store)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "--paths" in answer.err


def test_templates_that_never_move_give_paths_that_never_move() -> None:
    paths = PathMaker.of(np.zeros((20, 2, 4), np.float32), LEVELS).map(np.zeros((2, 4, 7)), np.arange(3))
    assert np.array_equal(paths, np.zeros((3, 2, 4)))
