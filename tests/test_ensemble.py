"""Several networks as one forecast, in one file."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.errors import ConfigError
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference import market
from forecaster.inference.calibration import rolling_offsets
from forecaster.inference.ensemble import ensemble
from forecaster.inference.marketcache import CALIBRATION, MARKET
from forecaster.inference.sweep import Reach, quantiles
from forecaster.modelfile import read_model
from forecaster.runs import folder as runs
from forecaster.runs.config import load_config
from forecaster.workflows.data import load_panel
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun, train
from tests.studio import assert_coherent

pytest_plugins = ("tests.studio_fixtures",)

TINY = (
    "data.tickers=[AAPL, IBM, MSFT]",
    "data.split={train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}",
    "members=[{name: gru, hidden_size: 8}, {name: lstm, hidden_size: 4}]",
    "task.horizon=[1, 2, 5]",
    "training.steps=8",
    "training.batch=8",
    "training.device=cpu",
)


@pytest.fixture(scope="module")
def recipe(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return train("best", settings=TINY, data_dir=store, runs_dir=tmp_path_factory.mktemp("ensemble"), name="recipe")


def test_members_are_trained_from_seeds_of_their_own_and_kept_in_one_file(recipe: TrainedRun) -> None:
    model = read_model(recipe.folder / runs.MODEL)
    networks, config = model.members(), model.config
    assert [model.name for model in config.networks] == ["gru", "lstm"]
    assert len(networks) == 2
    assert [path.name for path in recipe.folder.glob("*.safetensors")] == [runs.MODEL]


def test_the_forecast_is_the_mean_of_the_members_coherent_quantiles(recipe: TrainedRun, store: Path) -> None:
    model = read_model(recipe.folder / runs.MODEL)
    networks, config = model.members(), model.config
    panel = load_panel(("AAPL", "IBM"), data_dir=store)
    data = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    rows, reach = panel.offsets[1:] - 1, Reach.of(config.task, span=1)
    mean = np.mean([quantiles(network, data, rows, reach) for network in networks], axis=0)
    np.testing.assert_allclose(ensemble(networks, data, reach)(rows), mean, atol=1e-12)


def test_members_count_as_much_as_their_weights_say(recipe: TrainedRun, store: Path, tmp_path: Path) -> None:
    model = read_model(recipe.folder / runs.MODEL)
    networks, config = model.members(), model.config
    panel = load_panel(("AAPL", "IBM"), data_dir=store)
    data = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    rows, reach = panel.offsets[1:] - 1, Reach.of(config.task, span=1)
    one, other = (quantiles(network, data, rows, reach) for network in networks)
    np.testing.assert_allclose(ensemble(networks, data, reach, (3.0, 1.0))(rows), (3 * one + other) / 4, atol=1e-12)
    weighted = tuple(setting.replace("hidden_size: 8", "hidden_size: 8, weight: 3") for setting in TINY)
    run = train("best", settings=weighted, data_dir=store, runs_dir=tmp_path, name="weighted")
    assert run.scorecard.rows[0].pinball != recipe.scorecard.rows[0].pinball
    assert read_model(run.folder / runs.MODEL).config.weights == (3.0, 1.0)
    with pytest.raises(ConfigError, match=r"members\.0\.weight is 0: expected"):
        load_config("best", ["members=[{name: gru, weight: 0}, {name: lstm}]"])


def test_the_recipe_forecasts_its_steps_coherently(recipe: TrainedRun, store: Path) -> None:
    (forecast,) = predict(["AAPL"], run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=store)
    assert forecast.steps == (1, 2, 5)
    assert_coherent(forecast.prices)


def test_a_market_that_is_missing_or_stale_is_said_with_the_remedy(
    recipe: TrainedRun, store: Path, tmp_path: Path
) -> None:
    for ticker in ("AAPL", "IBM"):
        (tmp_path / f"{ticker}.parquet").write_bytes((store / f"{ticker}.parquet").read_bytes())
    (whole,) = predict(["AAPL"], run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=store)
    (short,) = predict(["AAPL"], run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=tmp_path)
    assert any("1 of the 3 tickers" in warning and "MSFT" in warning for warning in short.warnings)
    assert not any("of the 3 tickers" in warning for warning in whole.warnings)
    assert not np.array_equal(whole.prices, short.prices)


def test_where_no_ticker_of_the_run_is_left_those_asked_for_do_not_stand_in(
    recipe: TrainedRun, store: Path, tmp_path: Path
) -> None:
    for ticker in ("FB", "GOOG"):
        (tmp_path / f"{ticker}.parquet").write_bytes((store / f"{ticker}.parquet").read_bytes())
    place = {"run": str(recipe.folder), "runs_dir": recipe.folder.parent, "data_dir": tmp_path}
    (alone,) = predict(["FB"], **place)  # type: ignore[arg-type]
    among = predict(["GOOG", "FB"], **place)  # type: ignore[arg-type]
    assert np.array_equal(alone.prices, among[1].prices)


def test_a_config_has_either_a_model_or_members() -> None:
    with pytest.raises(ConfigError, match="either `model:` or `members:`"):
        load_config("gru", ["members=[{name: lstm}]"])


def test_a_members_wrong_parameter_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'members.1.hiden_size'. Did you mean 'hidden_size'\?"):
        load_config("best", ["members=[{name: gru}, {name: lstm, hiden_size: 3}]"])


def test_a_companion_of_another_day_does_not_change_a_calibrated_forecast(recipe: TrainedRun, store: Path) -> None:
    place = {"run": str(recipe.folder), "runs_dir": recipe.folder.parent, "data_dir": store}
    (alone,) = predict(["AAPL"], as_of=dt.date(2011, 3, 4), **place)  # type: ignore[arg-type]
    among = predict(["GOOG", "AAPL"], as_of=dt.date(2011, 3, 4), **place)  # type: ignore[arg-type]
    assert np.array_equal(alone.prices, among[1].prices)


def test_a_damaged_market_ticker_costs_no_more_than_a_missing_one(
    recipe: TrainedRun, store: Path, tmp_path: Path
) -> None:
    for path in store.glob("*.parquet"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    cut = tmp_path / "MSFT.parquet"
    cut.write_bytes(cut.read_bytes()[:2000])
    (found,) = predict(["AAPL"], run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=tmp_path)
    cut.unlink()
    (missing,) = predict(["AAPL"], run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=tmp_path)
    assert np.array_equal(found.prices, missing.prices)
    assert any("MSFT" in warning and "forecast data verify" in warning for warning in found.warnings)


def test_a_correction_is_kept_beside_the_run_and_gives_the_same_bits(recipe: TrainedRun, store: Path) -> None:
    kept = [recipe.folder / name for name in (CALIBRATION, MARKET)]
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)
    place = {"run": str(recipe.folder), "runs_dir": recipe.folder.parent, "data_dir": store}
    (first,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
    (correction,), (view,) = (list(folder.iterdir()) for folder in kept)
    (again,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
    assert np.array_equal(first.prices, again.prices)
    for damaged in ([view], [view, correction]):
        for file in damaged:
            file.write_bytes(b"cut short")
        (mended,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
        assert np.array_equal(first.prices, mended.prices)
        assert all(file.stat().st_size > 100 for file in damaged)


def test_a_kept_market_is_not_read_again_until_one_of_its_files_changes(
    recipe: TrainedRun, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in store.glob("*.parquet"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    place = {"run": str(recipe.folder), "runs_dir": recipe.folder.parent, "data_dir": tmp_path}
    (first,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
    read: list[str] = []
    reading = Store.read
    monkeypatch.setattr(Store, "read", lambda self, ticker: (read.append(ticker), reading(self, ticker))[1])
    (again,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
    assert read == ["AAPL"]
    assert np.array_equal(first.prices, again.prices)
    changed = tmp_path / "MSFT.parquet"
    changed.write_bytes((store / "GOOG.parquet").read_bytes())
    (other,) = predict(["AAPL"], **place)  # type: ignore[arg-type]
    assert {"IBM", "MSFT"} <= set(read)
    assert not np.array_equal(first.prices, other.prices)


def test_a_correction_is_computed_from_the_market_once_in_ten_sessions(
    recipe: TrainedRun, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (CALIBRATION, MARKET):
        shutil.rmtree(recipe.folder / name, ignore_errors=True)
    asked: list[np.datetime64] = []

    def counting(*arguments: Any) -> Any:
        asked.append(arguments[4])
        return rolling_offsets(*arguments)

    monkeypatch.setattr(market, "rolling_offsets", counting)
    days = [dt.date(2011, 3, day) for day in (1, 2, 3, 4, 7, 8, 9, 10, 11, 14)]
    for day in days:
        predict(["IBM"], as_of=day, run=str(recipe.folder), runs_dir=recipe.folder.parent, data_dir=store)
    assert 1 <= len(asked) <= 2
