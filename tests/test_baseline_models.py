"""A baseline as the model of a run, alone or beside a network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forecaster.baselines import BASELINES, FORMULAS, FittedBaseline
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.modelfile import read_model
from forecaster.workflows.backtest import backtest
from forecaster.workflows.data import load_panel
from forecaster.workflows.predict import predict
from forecaster.workflows.train import train
from tests.studio import QUICK, REPOSITORY, Answer, assert_coherent, environment

pytest_plugins = ("tests.studio_fixtures",)

DATA = tuple(setting for setting in QUICK if setting.startswith(("data.", "task.")))
OTHER = "evaluation.baselines=[ewma-garman-klass]"


@pytest.mark.parametrize("name", [name for name in BASELINES.names() if name != "ewma-garman-klass"])
def test_every_baseline_is_a_model_that_trains_forecasts_and_is_backtested(
    name: str, store: Path, tmp_path: Path
) -> None:
    settings = (*DATA, f"model={{name: {name}}}", OTHER)
    run = train("har", settings=settings, data_dir=store, runs_dir=tmp_path, name="ship")
    assert run.scorecard.rows[0].name == name
    for forecast in predict(["AAPL", "GOOG"], run="ship", data_dir=store, runs_dir=tmp_path):
        assert_coherent(forecast.prices)
    again = backtest("ship", data_dir=store, runs_dir=tmp_path)
    assert again.scorecard.stored() == run.scorecard.stored()


def test_the_run_says_what_the_baseline_says(store: Path, tmp_path: Path) -> None:
    run = train("har", settings=(*DATA, "calibration.rolling=false"), data_dir=store, runs_dir=tmp_path, name="har")
    model = read_model(run.folder / "model.safetensors")
    (member,) = model.members()
    assert isinstance(member, FittedBaseline)
    panel = load_panel(("IBM",), data_dir=store)
    data = Dataset(panel, compute_features(panel, ("base",)), (1, 2, 3))
    expected = member.bind(data)(panel.offsets[1:] - 1)[0]
    (forecast,) = predict(["IBM"], run="har", data_dir=store, runs_dir=tmp_path)
    np.testing.assert_allclose(np.log(forecast.prices / forecast.last_close), expected, atol=1e-12)


def test_a_network_and_a_baseline_are_members_of_one_forecast(store: Path, tmp_path: Path) -> None:
    members = "members=[{name: gru, hidden_size: 4}, {name: harx}]"
    small = ("training.steps=3", "training.batch=8", "training.device=cpu")
    run = train("best", settings=(*DATA, members, *small), data_dir=store, runs_dir=tmp_path, name="both")
    assert run.scorecard.rows[0].name == "gru+harx"
    assert [type(one).__name__ for one in read_model(run.folder / "model.safetensors").light()] == [
        "LightNetwork",
        "FittedBaseline",
    ]
    (forecast,) = predict(["AAPL"], run="both", data_dir=store, runs_dir=tmp_path)
    assert_coherent(forecast.prices)


def test_a_forecast_of_a_baseline_needs_no_torch(store: Path, tmp_path: Path) -> None:
    train("har", settings=DATA, data_dir=store, runs_dir=tmp_path, name="har")
    code = (
        "import sys; from forecaster.workflows.predict import predict; "
        f"predict(['AAPL'], run='har', data_dir={str(store)!r}, runs_dir={str(tmp_path)!r}); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environment(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("baselines", ["[]", "[last-close]", "[har, ewma-garman-klass]"])
def test_no_setting_takes_a_simple_formula_away(store: Path, tmp_path: Path, baselines: str) -> None:
    settings = (*DATA, f"evaluation.baselines={baselines}")
    card = train("har", settings=settings, data_dir=store, runs_dir=tmp_path).scorecard
    assert card.reference == "ewma-random-walk"
    assert {row.name for row in card.rows} >= set(FORMULAS)
    walk = train("har", settings=(*settings, "model={name: ewma-random-walk}"), data_dir=store, runs_dir=tmp_path)
    assert walk.scorecard.reference == "ewma-garman-klass", "what is held against itself would be no comparison"


def test_a_wrong_baseline_as_model_is_one_line(say: Callable[..., Answer], store: Path, tmp_path: Path) -> None:
    answer = say("train", "har", "--set", "model={name: har, hidden_size: 3}", "--data-dir", store, "--quiet")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "unknown key 'model.hidden_size'" in answer.err
    answer = say("train", "har", "--set", "model={name: hra}", "--data-dir", store, "--quiet")
    assert "Did you mean 'har'?" in answer.err
