"""Networks without torch: numpy computes from the same weights what torch does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from forecaster.config.schema import ModelConfig
from forecaster.light.network import light_network
from forecaster.light.recurrent import REPRODUCIBLE_ROWS
from forecaster.modelfile import weights_of
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.workflows.train import train
from tests.studio import environment

pytest_plugins = ("tests.studio_fixtures",)

FEATURES, LEVELS = 11, 7
BASE = np.sort(np.random.default_rng(0).normal(size=(3, 4, LEVELS)), axis=-1)


def network(model: ModelConfig, head: str) -> Network:
    torch.manual_seed(3)
    base = BASE[..., 3:4] if head == "point" else BASE
    built = make_network(model, head, FEATURES, base)
    for weight in built.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return built.eval()


def inputs(batch: int, time: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(batch, time, FEATURES)).astype(np.float32)


@pytest.mark.parametrize("head", ["scale", "quantile", "point"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ["gru", "lstm", "rnn"])
def test_numpy_gives_what_torch_gives(name: str, bidirectional: bool, layers: int, head: str) -> None:
    parameters = {"hidden_size": 9, "num_layers": layers, "bidirectional": bidirectional, "bias": layers == 1}
    model = ModelConfig(name=name, **parameters)  # type: ignore[arg-type]
    built = network(model, head)
    base = BASE[..., 3:4] if head == "point" else BASE
    light = light_network(model, head, weights_of(built), base)
    assert light is not None
    for last in (1, 60):
        np.testing.assert_allclose(light.run(inputs(5, 60), last), built.run(inputs(5, 60), last), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "rnn", "nonlinearity": "relu", "hidden_size": 9},
        {"name": "dnn"},
        {"name": "dnn", "window": 13, "num_layers": 3, "hidden_size": 9, "bias": False},
        {"name": "lru"},
        {"name": "lru", "hidden_size": 9, "half_life": 300.0},
    ],
)
def test_numpy_gives_what_torch_gives_of_the_other_networks(parameters: dict[str, object]) -> None:
    model = ModelConfig(**parameters)  # type: ignore[arg-type]
    torch.manual_seed(3)
    built = make_network(model, "scale", FEATURES, BASE).eval()
    torch.nn.init.normal_(built.readout.weight, std=0.2)
    light = light_network(model, "scale", weights_of(built), BASE)
    assert light is not None
    for last in (1, 60):
        np.testing.assert_allclose(light.run(inputs(5, 60), last), built.run(inputs(5, 60), last), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("decoder", ["seq2seq", "recursive"])
def test_a_decoder_that_only_torch_can_run_has_no_light_form(decoder: str) -> None:
    assert light_network(ModelConfig(name="gru"), "scale", {}, BASE, decoder) is None


def test_a_network_that_only_torch_can_run_has_no_light_form() -> None:
    assert light_network(ModelConfig(name="unknown"), "scale", {}, BASE) is None


def test_large_inputs_do_not_overflow() -> None:
    model = ModelConfig(name="lstm", hidden_size=4)  # type: ignore[call-arg]
    built = network(model, "scale")
    light = light_network(model, "scale", weights_of(built), BASE)
    assert light is not None
    found = light.run(inputs(2, 30) * np.float32(8), 30)
    np.testing.assert_allclose(found, built.run(inputs(2, 30) * np.float32(8), 30), rtol=1e-4)


@pytest.mark.parametrize("head", ["scale", "quantile", "point"])
@pytest.mark.parametrize("hidden_size", [9, 64])
@pytest.mark.parametrize(
    "parameters",
    [
        {"name": "rnn"},
        {"name": "gru", "num_layers": 2},
        {"name": "lstm", "bidirectional": True},
        {"name": "dnn"},
        {"name": "lru"},
    ],
)
def test_tickers_of_a_batch_do_not_affect_each_other(
    parameters: dict[str, object], hidden_size: int, head: str
) -> None:
    """A row's last bits depend neither on its place, nor on the other rows, nor on how many there are."""
    model = ModelConfig(**parameters, hidden_size=hidden_size)  # type: ignore[arg-type]
    base = BASE[..., 3:4] if head == "point" else BASE
    light = light_network(model, head, weights_of(network(model, head)), base)
    assert light is not None
    batch = inputs(REPRODUCIBLE_ROWS, 90)
    whole = light.run(batch, 2)
    for some in (slice(0, 1), slice(5, 6), slice(31, 32), slice(3, 10), slice(0, 31)):
        assert np.array_equal(light.run(batch[some], 2), whole[some])


def test_the_first_steps_are_those_of_the_whole_network() -> None:
    model = ModelConfig(name="lstm", hidden_size=9)  # type: ignore[call-arg]
    for head in ("scale", "quantile", "point"):
        base = BASE[..., 3:4] if head == "point" else BASE
        light = light_network(model, head, weights_of(network(model, head)), base)
        assert light is not None
        for steps in (1, 2, 3):
            first = light.first(steps)
            assert first.horizon == steps
            np.testing.assert_allclose(
                first.run(inputs(5, 60), 4), light.run(inputs(5, 60), 4)[:, :, :steps], rtol=1e-5
            )


_HEAVY = ("torch", "pandas", "scipy", "exchange_calendars", "yfinance", "jaxtyping", "pyarrow.compute")


@pytest.mark.parametrize("config", ["gru", "best"])
def test_a_forecast_imports_no_library_that_takes_long(config: str, store: Path, tmp_path: Path) -> None:
    """In a process of its own, once the exchange's sessions are written down and, for the recipe, its market known."""
    few = ("training.steps=2", "training.batch=4", "training.device=cpu")
    train(config, settings=few, data_dir=store, runs_dir=tmp_path, name="run")
    say = f"cli.run(['predict', 'AAPL', '--data-dir', {str(store)!r}, '--runs-dir', {str(tmp_path)!r}])"
    program = f"import sys\nfrom forecaster import cli\nassert {say} == 0\nprint(*sys.modules, file=sys.stderr)"
    own = environment() | {"XDG_CACHE_HOME": str(tmp_path / "cache")}  # no other process writes sessions there
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], env=own, capture_output=True, text=True)
        assert "AAPL" in done.stdout, done.stderr
    assert sorted(set(_HEAVY) & set(done.stderr.split())) == []
