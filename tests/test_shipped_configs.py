"""Every config that ships is valid, trains and forecasts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from forecaster.baselines import BASELINES
from forecaster.config.about import shipped_configs
from forecaster.config.load import to_yaml
from forecaster.features import GROUPS
from forecaster.features.compute import compute_features
from forecaster.models import MODELS
from forecaster.runs.config import load_config
from forecaster.workflows.predict import predict
from forecaster.workflows.train import train
from tests.studio import assert_coherent, panel

pytest_plugins = ("tests.studio_fixtures",)

CONFIGS = shipped_configs()
FEW = (
    *("data.tickers=[AAPL, IBM, FB]", "training.steps=2", "training.batch=8", "training.device=cpu"),
    "data.split={train_end: 2010-06-30, validation_end: 2010-12-31, test_end: 2011-06-30}",
)


def test_the_configs_that_the_documentation_names_ship() -> None:
    assert {"demo", "rnn", "lstm", "gru", "n_to_1", "n_to_m", "tutorial"} <= set(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shipped_config_is_valid_and_explained(name: str) -> None:
    config = load_config(name)
    assert load_config(CONFIGS[name]) == config
    assert CONFIGS[name].read_text().startswith("# "), "its first line says what it is for"
    assert all(group in GROUPS for group in config.features)
    assert all(model.name in MODELS or model.name in BASELINES for model in config.networks)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_resolved_config_reads_back_to_itself(name: str, tmp_path: Path) -> None:
    file = tmp_path / "resolved.yaml"
    file.write_text(to_yaml(load_config(name)))
    assert load_config(file) == load_config(name)
    assert "null" not in file.read_text()
    assert yaml.safe_load(file.read_text())["task"]["horizon"]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shipped_config_trains_and_forecasts(name: str, store: Path, tmp_path: Path) -> None:
    """FB, too young to be learnt from, is forecast all the same."""
    run = train(name, settings=FEW, data_dir=store, runs_dir=tmp_path)
    config = load_config(run.folder / "config.yaml")
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.yaml", "curve.csv", "model.safetensors"]
    forecasts = predict(["AAPL", "FB", "MSFT"], data_dir=store, runs_dir=tmp_path)
    for forecast in forecasts:
        assert forecast.run == run.folder.name
        assert forecast.steps == config.task.steps
        assert len(forecast.dates) == len(config.task.steps)
        assert_coherent(forecast.prices)
    assert run.scorecard.verdict.code in ("skill", "no-evidence", "worse")


def test_the_tutorial_reads_the_plain_four() -> None:
    config = load_config("tutorial")
    names = compute_features(panel(70), config.features).names
    assert names == ("ohlc.open", "ohlc.high", "ohlc.low", "ohlc.close")


def test_n_to_1_and_n_to_m_are_sizes_of_one_task() -> None:
    one, many = load_config("n_to_1").task, load_config("n_to_m").task
    assert one.steps == (1,)
    assert len(many.steps) > 1
    assert one.model_copy(update={"horizon": many.horizon}) == many
