"""Gradient boosting: trees as arrays, the objective, and what a run says about them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from forecaster.baselines import FittedBaseline, gbm
from forecaster.baselines.trees import LEAVES, Trees, from_lightgbm
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.workflows.data import load_panel
from forecaster.workflows.predict import predict
from forecaster.workflows.train import train
from tests.studio import QUICK, REPOSITORY, environment

pytest_plugins = ("tests.studio_fixtures",)

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
DATA = tuple(setting for setting in QUICK if setting.startswith(("data.", "task.")))
GBM = (*DATA, "model={name: gbm}", "evaluation.baselines=[]")
WHOLE = Period(None, np.datetime64("2011-12-31"))


@pytest.fixture(scope="module")
def dataset(store: Path) -> Dataset:
    panel = load_panel(data_dir=store)
    return Dataset(panel, compute_features(panel, ("base", "vol", "shocks")), (1, 2, 5))


@pytest.mark.parametrize("leaves", [1, 2, 7, LEAVES])
def test_numpy_ends_in_the_leaves_that_lightgbm_does(leaves: int) -> None:
    import lightgbm

    rng = np.random.default_rng(leaves)
    # Few distinct values, so that many rows lie exactly on a threshold.
    values = rng.integers(-9, 9, (4_000, 6)).astype(np.float32) / 7
    target = values[:, 0] * values[:, 1] + np.sin(5 * values[:, 2]) + rng.normal(size=len(values))
    options = {"num_leaves": max(leaves, 2), "min_data_in_leaf": 5000 if leaves == 1 else 5, "verbose": -1, "seed": 1}
    booster = lightgbm.train(options | {"objective": "l2"}, lightgbm.Dataset(values, target), 30)
    dump = booster.dump_model()
    trees = from_lightgbm(dump)
    assert max(one["num_leaves"] for one in dump["tree_info"]) == leaves
    fresh = np.concatenate([values, rng.normal(size=(500, 6)).astype(np.float32)])
    np.testing.assert_allclose(trees.predict(fresh), booster.predict(fresh), atol=1e-9)
    again = Trees.of(trees.arrays(), 6)
    assert np.array_equal(again.predict(fresh), trees.predict(fresh))
    np.testing.assert_array_equal(trees.predict(fresh[7:8]), trees.predict(fresh)[7:8])  # alone or among others


def test_the_gradient_is_that_of_the_pinball_loss() -> None:
    rng = np.random.default_rng(0)
    levels, moves = np.array(LEVELS), rng.standard_t(5, 20_000).astype(np.float32)
    base = np.quantile(rng.standard_t(5, 20_000), levels)

    def loss(log: float) -> float:
        error = moves[:, None] - base * np.exp(log)
        return float(np.maximum(levels * error, (levels - 1) * error).mean())

    for log in (-0.4, 0.0, 0.3):
        slope = gbm._slope(moves, base, levels, np.full(len(moves), np.exp(log), np.float32)).mean()
        assert slope == pytest.approx((loss(log + 1e-3) - loss(log - 1e-3)) / 2e-3, abs=2e-4)


def test_the_same_candles_give_the_same_bytes_with_any_number_of_threads(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for threads in (1, 2, 2):
        monkeypatch.setattr(gbm, "threads", lambda threads=threads: threads)
        fitted = FittedBaseline.learnt("gbm", dataset, WHOLE, LEVELS).fitted
        found.append({name: array.tobytes() for name, array in fitted.items()})
    assert found[0] == found[1] == found[2]
    assert len(fitted["trees/first"]) == 100


def test_a_long_fit_says_how_far_it_is(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gbm, "_SAY_EVERY", 0.0)
    said: list[str] = []
    FittedBaseline.learnt("gbm", dataset, WHOLE, LEVELS, said.append)
    assert said == [f"fitting gbm: tree {number} of 100" for number in range(1, 101)]


def test_trees_change_the_first_step_alone(dataset: Dataset) -> None:
    rows = dataset.origins(WHOLE)[::50]
    boosted = FittedBaseline.learnt("gbm", dataset, WHOLE, LEVELS).bind(dataset)(rows)
    linear = FittedBaseline.learnt("harx", dataset, WHOLE, LEVELS).bind(dataset)(rows)
    assert np.array_equal(boosted[:, 1:], linear[:, 1:])
    assert np.abs(boosted[:, 0] / linear[:, 0] - 1).max() > 0.01


def test_few_tickers_are_forecast_no_worse_than_by_climatology(store: Path, tmp_path: Path) -> None:
    for tickers in ("[AAPL]", "[AAPL, GOOG, IBM, MSFT]"):
        settings = (*GBM, f"data.tickers={tickers}", "features=[base, vol, shocks, range]")
        card = train("har", settings=settings, data_dir=store, runs_dir=tmp_path, name=f"few{len(tickers)}").scorecard
        (row,) = [
            one
            for one in card.rows
            if (one.name, one.baseline, one.variable, one.step) == ("gbm", "climatology", "mean", "all")
        ]
        assert row.skill_pinball is not None
        assert row.skill_pinball > 0


def test_a_forecast_imports_neither_lightgbm_nor_torch(store: Path, tmp_path: Path) -> None:
    train("har", settings=GBM, data_dir=store, runs_dir=tmp_path, name="boosted")
    code = (
        "import sys; sys.modules['lightgbm'] = None; from forecaster.workflows.predict import predict; "
        f"print(predict(['AAPL'], run='boosted', data_dir={str(store)!r}, runs_dir={str(tmp_path)!r})[0].ticker); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment(), check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "AAPL\n")


def test_without_the_library_a_training_ends_before_it_reads_a_candle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # what Python does with a library that is not installed
    with pytest.raises(InputError, match=r"^gbm needs the lightgbm library to train: pip install 'stock-forecaster"):
        train("best", data_dir=tmp_path / "no store", runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("0/weights", lambda array: array[:-1], "its array weights is 7 × 3, expected 8 × 3"),
        ("0/trees/feature", lambda array: array + 10_000, "its trees read .* features"),
        ("0/trees/threshold", lambda array: array[:-1], "different lengths"),
        ("0/trees/leaf", lambda array: array * np.nan, "'0/trees/leaf' holds NaN or infinity"),
        ("0/trees/kept", lambda array: array * 0, "rows that end in no leaf"),
        ("0/trees/first", lambda array: array[::-1].copy(), "do not follow each other"),
    ],
)
def test_trees_of_another_model_are_refused(  # type: ignore[no-untyped-def]
    store: Path, tmp_path: Path, name: str, change, said: str
) -> None:
    run = train("har", settings=GBM, data_dir=store, runs_dir=tmp_path, name="odd")
    path = run.folder / "model.safetensors"
    tensors, header = load_tensors(path)
    save_tensors(path, tensors | {name: change(tensors[name])}, header)
    with pytest.raises(InputError, match=said):
        predict(["AAPL"], run="odd", data_dir=store, runs_dir=tmp_path)
