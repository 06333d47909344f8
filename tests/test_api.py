"""The Python API: the same workflows as the commands, each loaded when it is first used."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import forecaster
from forecaster.errors import InputError
from forecaster.workflows.train import TrainedRun
from tests.studio import QUICK, assert_coherent, environment

pytest_plugins = ("tests.studio_fixtures",)


def test_every_public_name_can_be_had_and_no_other() -> None:
    for name in forecaster.__all__:
        assert callable(getattr(forecaster, name)) or name == "errors"
    assert dir(forecaster) == sorted([*forecaster.__all__, "__version__"])
    assert forecaster.__version__ == version("stock-forecaster")
    with pytest.raises(AttributeError, match="has no attribute 'forcast'"):
        _ = forecaster.forcast


@pytest.mark.parametrize("name", ["errors.InputError.__name__", "__version__", "train.__name__"])
def test_every_name_can_be_had_before_a_first_call(name: str) -> None:
    script = f"import forecaster; print(forecaster.{name})"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("InputError", version("stock-forecaster"), "train")


def test_importing_the_package_costs_nothing() -> None:
    script = (
        "import sys, forecaster; print(*sorted(sys.modules.keys() & {'torch', 'numpy', 'pandas', 'typer', 'pydantic'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_panel_is_the_tensor_of_all_tickers(store: Path) -> None:
    panel = forecaster.load_panel(["AAPL", "fb"], data_dir=store, start=dt.date(2012, 5, 1), end=dt.date(2012, 6, 1))
    assert panel.tickers == ("AAPL", "FB")
    assert panel.ohlc.shape == (2, len(panel.dates), 4)
    assert np.array_equal(np.isnan(panel.ohlc).any(axis=-1), ~panel.observed)
    assert panel.observed[0].all()
    assert not panel.observed[1].all()
    assert len(forecaster.load_panel(data_dir=store)) == 5


def test_training_and_forecasting_from_python(store: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run = forecaster.train(
        *("gru",), settings=[*QUICK, "training.steps=2"], data_dir=store, runs_dir=tmp_path, say=said.append
    )
    assert said[0] == "reading candles"
    assert run.looks == 1
    (forecast,) = forecaster.predict(["MSFT"], data_dir=store, runs_dir=tmp_path)
    assert_coherent(forecast.prices)


def test_a_report_is_gathered_from_python(store: Path, trained: TrainedRun) -> None:
    said: list[str] = []
    told = forecaster.report(str(trained.folder), data_dir=store, runs_dir=trained.folder.parent, say=said.append)
    assert told.run == "small"
    assert told.card.verdict == trained.scorecard.verdict
    assert told.diagnosis is not None
    assert told.diagnosis.by_ticker.names == ("AAPL", "IBM", "MSFT")
    assert said


def test_a_finished_run_is_not_resumed_and_an_open_one_is_what_its_config_says(
    store: Path, trained: TrainedRun, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is finished: there is nothing to resume"):
        forecaster.resume(str(trained.folder), data_dir=store)
    shutil.copytree(trained.folder, tmp_path / "open")
    (tmp_path / "open" / "model.safetensors").unlink()
    again = forecaster.resume("open", data_dir=store, runs_dir=tmp_path)
    assert (again.folder / "curve.csv").read_bytes() == (trained.folder / "curve.csv").read_bytes()
    assert (again.folder / "model.safetensors").read_bytes() == (trained.folder / "model.safetensors").read_bytes()
