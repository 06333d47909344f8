"""Steps that a run was not trained for: exact for a random walk, near a real forecast's own, named in the notes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.errors import InputError
from forecaster.inference.interpolation import interpolated, interpolation_note, trained_until, with_all_steps
from forecaster.workflows.predict import predict
from forecaster.workflows.risk import risk
from forecaster.workflows.samples import samples
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK

pytest_plugins = ("tests.studio_fixtures",)

KNOWN = (1, 2, 3, 4, 5, 20)


def test_a_random_walk_is_interpolated_exactly() -> None:
    steps = np.arange(1, 21)[:, None, None]
    offsets = np.array([-1.7, -1.3, -0.7, 0.0, 0.6, 1.2, 1.8]) * np.array([0.9, 1.1, 1.0, 1.2])[:, None]
    walk = 0.001 * steps + 0.02 * np.sqrt(steps) * offsets
    found = interpolated(walk[np.array(KNOWN) - 1], LEVELS, KNOWN, 20)
    np.testing.assert_allclose(found, walk, rtol=1e-9)


def test_no_quantile_crosses_and_known_steps_stay() -> None:
    rng = np.random.default_rng(0)
    known = np.sort(rng.normal(0, 0.02, (50, len(KNOWN), 4, len(LEVELS))), axis=-1)
    found = interpolated(known, LEVELS, KNOWN, 20)
    assert (np.diff(found, axis=-1) >= -1e-12).all()
    np.testing.assert_allclose(found[:, np.array(KNOWN) - 1], known, atol=1e-12)


def test_a_price_that_never_moves_stays_where_it_is() -> None:
    assert (interpolated(np.zeros((6, 1, len(LEVELS))), LEVELS, KNOWN, 20) == 0).all()


def test_a_real_forecast_without_its_middle_step_gets_nearly_the_same_one_back(
    store: Path, trained: TrainedRun
) -> None:
    (whole,) = predict("AAPL", run=str(trained.folder), data_dir=store)
    assert whole.steps == (1, 2, 3)
    rest = {name: getattr(whole, name)[[0, 2]] for name in ("dates", "prices", "range", "volatility")}
    gap = replace(whole, steps=(1, 3), tails=None, **rest)
    found = with_all_steps(gap, 3, "XNYS")
    assert (found.steps, list(found.dates)) == ((1, 2, 3), list(whole.dates))
    width = whole.prices[1, 3, -2] - whole.prices[1, 3, 1]
    assert 0 < np.abs(found.prices[1] - whole.prices[1]).max() < 0.2 * width
    assert found.range[1] == pytest.approx(whole.range[1], rel=0.1)
    assert with_all_steps(whole, 3, "XNYS") is whole


def test_steps_that_are_needed() -> None:
    assert trained_until(KNOWN, 5) == (1, 2, 3, 4, 5)
    assert trained_until(KNOWN, 6) == trained_until(KNOWN, 20) == KNOWN


def test_the_note_names_the_steps() -> None:
    assert interpolation_note("best", KNOWN, 5) == ""
    assert interpolation_note("best", KNOWN, 10).startswith(
        "Run best was not trained for steps 6 to 10: they are inter"
    )
    assert "steps 2, 4 and 6 to 7: they" in interpolation_note("own", (1, 3, 5, 8), 8)
    assert "step 2: it is" in interpolation_note("own", (1, 3), 3)


def test_a_run_with_a_gap_draws_paths_over_it_and_says_so(store: Path, tmp_path: Path) -> None:
    settings = (*QUICK, "training.steps=1", "task.horizon=[1, 2, 4]")
    run = {"run": str(train("gru", settings=settings, data_dir=store, runs_dir=tmp_path).folder), "data_dir": store}
    found = risk({"AAPL": 1, "IBM": 2}, days=3, paths=500, backtest=True, **run)  # type: ignore[arg-type]
    assert (found.days, len(found.dates)) == (3, 3)
    assert any("was not trained for step 3: it is interpolated" in text for text in found.notes)
    assert {one.horizon for one in found.tests} == {1, 3}
    (forecast,) = predict("AAPL", **run)  # type: ignore[arg-type]
    last = samples("AAPL", days=4, paths=4_000, **run).prices[:, 0, 3, 3]  # type: ignore[arg-type]
    np.testing.assert_allclose(np.quantile(last, LEVELS), forecast.prices[2, 3], rtol=1e-3)
    with pytest.raises(
        InputError, match=r"--days is 5, but run .* has paths of the steps 1 to 4: choose one of them, or"
    ):
        samples("AAPL", days=5, **run)  # type: ignore[arg-type]
