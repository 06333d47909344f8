"""The correction of a forecast is that of the test, is kept, and is said to lack what it lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.evaluation.evaluate import forecasters
from forecaster.inference import calibration
from forecaster.inference.ensemble import ensemble
from forecaster.inference.market import view_market
from forecaster.inference.marketcache import CALIBRATION, MARKET
from forecaster.inference.newest import origin_days, quantiles_in_market
from forecaster.inference.sweep import Reach
from forecaster.runs.run import Run
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK

pytest_plugins = ("tests.studio_fixtures",)

CALIBRATED = (*QUICK, "training.steps=4", "calibration.rolling=true", "calibration.steps=[1, 2, 3]")


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    return train("gru", settings=CALIBRATED, data_dir=store, runs_dir=tmp_path_factory.mktemp("runs"), name="run")


def test_a_forecast_is_corrected_at_every_step_as_its_test_was(run: TrainedRun, store: Path) -> None:
    found = Run.find(run.folder.parent, run.folder.name)
    members, config, trial = found.model.members(), found.config, found.trial(found.candles(Store(store)))
    data, rows = trial.dataset, trial.test_rows
    day = data.panel.sessions[rows].max()
    last = rows[data.panel.sessions[rows] == day]
    tested = forecasters(members, trial, rows, ())[config.name](rows)[np.isin(rows, last)]
    plain = ensemble(members, data, Reach.of(config.task))(rows)[np.isin(rows, last)]
    known = data.panel.until(day)
    view = view_market(members, config, known, origin_days(known))
    np.testing.assert_allclose(quantiles_in_market(members, config, known, view), tested, atol=2e-5)
    assert all(np.abs(tested - plain)[:, step].max() > 2e-4 for step in range(3))


def test_a_correction_that_another_version_kept_is_not_read(
    run: TrainedRun, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run.folder / CALIBRATION
    for name in (CALIBRATION, MARKET):
        shutil.rmtree(run.folder / name, ignore_errors=True)
    place = {"run": str(run.folder), "runs_dir": run.folder.parent, "data_dir": store}
    monkeypatch.setattr(calibration, "FORM", "another")
    predict(["AAPL"], **place)  # type: ignore[arg-type]
    (other,) = kept.iterdir()
    monkeypatch.undo()
    shutil.rmtree(run.folder / MARKET)
    predict(["AAPL"], **place)  # type: ignore[arg-type]
    assert len(list(kept.iterdir())) == 2
    assert other.exists()


def test_tickers_whose_errors_are_missing_are_said(run: TrainedRun, store: Path, tmp_path: Path) -> None:
    for ticker in ("AAPL", "IBM"):
        shutil.copy(store / f"{ticker}.parquet", tmp_path)
    place = {"run": str(run.folder), "runs_dir": run.folder.parent}
    (whole,), (short,) = (predict(["AAPL"], data_dir=folder, **place) for folder in (store, tmp_path))  # type: ignore[arg-type]
    said = "1 of the 3 tickers whose errors calibrate the bands are not in the store (MSFT): fetch them."
    assert said in short.warnings
    assert not any("whose errors" in warning for warning in whole.warnings)


def test_a_point_forecast_is_left_alone_by_train_and_predict_alike(store: Path, tmp_path: Path) -> None:
    told = []
    for rolling in ("true", "false"):
        settings = (*CALIBRATED, "task.head=point", f"calibration.rolling={rolling}")
        train("gru", settings=settings, data_dir=store, runs_dir=tmp_path / rolling, name="run")
        told += predict(["AAPL"], data_dir=store, runs_dir=tmp_path / rolling)
    assert np.array_equal(told[0].prices, told[1].prices)
