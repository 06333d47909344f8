"""Every network as an ONNX file: onnxruntime, which knows nothing of this package, gives the same numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from forecaster.config.schema import Config
from forecaster.data.coherence import coherent
from forecaster.data.splits import Split
from forecaster.deploy.bodies import BODIES
from forecaster.deploy.network import onnx_bytes
from forecaster.errors import InputError
from forecaster.features.compute import compute_features
from forecaster.header import Header
from forecaster.modelfile import Model, read_model, weights_of
from forecaster.models import MODELS
from forecaster.models.build import make_network
from forecaster.models.network import Network
from forecaster.workflows.data import load_panel
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

FEATURES = 6
BASE = np.sort(np.random.default_rng(0).normal(size=(3, 4, 7)), axis=-1)
VARIANTS: tuple[dict[str, Any], ...] = (
    *({"name": name} for name in sorted(BODIES)),
    {"name": "rnn", "nonlinearity": "relu", "num_layers": 2, "hidden_size": 5},
    {"name": "gru", "bidirectional": True, "num_layers": 2, "bias": False},
    {"name": "lstm", "bidirectional": True, "num_layers": 2},
    {"name": "rnn", "bidirectional": True},
    {"name": "dnn", "window": 7, "num_layers": 3, "bias": False},
    {"name": "attention", "span": 5, "num_layers": 3, "num_heads": 2},
)


def made(*members: dict[str, Any], **task: Any) -> tuple[Model, list[Network]]:
    """A model file's content with weights at random, and its networks as torch runs them."""
    window = {"supervision": "window", "context": 100, "horizon": 3}
    config = Config.model_validate({"members": members, "task": window | task})
    base = BASE[..., 3:4] if config.task.head == "point" else BASE
    networks = []
    for seed, member in enumerate(config.members):
        torch.manual_seed(seed)
        built = make_network(member, config.task.head, FEATURES, base, config.task.decoder).eval()
        for weight in built.parameters():
            torch.nn.init.normal_(weight, std=0.15)
        networks.append(built)
    tensors = {f"{n}/{key}": value for n, one in enumerate(networks) for key, value in weights_of(one).items()}
    names = tuple(f"f{n}" for n in range(FEATURES))
    return Model(Path("model.safetensors"), header(config, names, base), tensors), networks


def header(config: Config, names: tuple[str, ...], base: np.ndarray) -> Header:
    """Of a run that nothing else is known of."""
    day = np.datetime64("2010-01-04")
    return Header(config, names, base, (), Split(day, day, day), day, "", {}, {})


def assert_same(model: Model, networks: list[Network]) -> None:
    """At several sizes of batch and time, the shortest one candle."""
    session = onnxruntime.InferenceSession(onnx_bytes(model))
    for batch, time in ((1, 1), (3, 4), (2, 100), (5, 61)):
        inputs = np.random.default_rng(batch).normal(size=(batch, time, FEATURES)).astype(np.float32)
        (found,) = session.run(None, {"inputs": inputs})
        each = [coherent(network.run(inputs, 1)[:, 0]) for network in networks]
        mean = coherent(np.average(each, axis=0, weights=model.config.weights))
        np.testing.assert_allclose(found, mean, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: "-".join(map(str, variant.values())))
def test_onnxruntime_gives_what_torch_gives(variant: dict[str, Any]) -> None:
    assert_same(*made(variant))


@pytest.mark.parametrize("head", ["scale", "quantile", "point"])
@pytest.mark.parametrize("decoder", ["direct", "seq2seq", "recursive"])
def test_every_head_and_decoder_is_the_same_elsewhere(head: str, decoder: str) -> None:
    assert_same(*made({"name": "gru", "hidden_size": 8}, head=head, decoder=decoder))


def test_every_network_that_ships_has_an_onnx_form() -> None:
    assert {"rnn", "lstm", "gru", "dnn", "lru", "attention"} <= set(BODIES) <= set(MODELS.names())


def test_members_are_averaged_as_here() -> None:
    assert_same(*made({"name": "gru", "hidden_size": 8}, {"name": "lstm", "hidden_size": 5, "skip": False}))
    assert_same(*made({"name": "gru", "hidden_size": 8}, {"name": "rnn", "hidden_size": 5, "weight": 0.25}))


def test_a_model_without_onnx_form_is_refused_by_name() -> None:
    config = Config.model_validate({"model": {"name": "har"}})
    with pytest.raises(InputError, match=r"model har has no ONNX form: those that do are attention, dnn, gru"):
        onnx_bytes(Model(Path("model.safetensors"), header(config, ("f0",), BASE), {}))


@pytest.fixture
def exported(say: Callable[..., Answer], trained: TrainedRun, runs_dir: Path, tmp_path: Path) -> tuple[Path, Answer]:
    file = tmp_path / "small.onnx"
    return file, say(
        "runs", "export", "small", "--to", "onnx", "--output", file, "--runs-dir", runs_dir, "--format", "json"
    )


def test_a_run_forecasts_elsewhere_what_it_forecasts_here(
    exported: tuple[Path, Answer], trained: TrainedRun, store: Path
) -> None:
    """With nothing but the file, its metadata, and the features and scale that it asks for."""
    file, answer = exported
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["steps"] == [1, 2, 3]
    session = onnxruntime.InferenceSession(file)
    about = session.get_modelmeta().custom_metadata_map
    model = read_model(trained.folder / "model.safetensors")
    panel = load_panel(["AAPL", "IBM"], data_dir=store)
    features = compute_features(panel, model.config.features)
    assert json.loads(about["features"]) == list(features.names)
    assert (session.get_inputs()[0].name, session.get_outputs()[0].name) == ("inputs", "quantiles")
    rows, steps = panel.offsets[1:] - 1, np.asarray(json.loads(about["steps"]))
    candles = rows[:, None] + np.arange(1 - int(about["candles"]), 1)
    (found,) = session.run(None, {"inputs": features.values[candles]})
    moves = found * (features.scale[rows, None] * np.sqrt(steps))[..., None, None]
    here = predict(["AAPL", "IBM"], run="small", data_dir=store, runs_dir=trained.folder.parent)
    for forecast, move in zip(here, moves, strict=True):
        np.testing.assert_allclose(forecast.last_close * np.exp(move), forecast.prices, rtol=1e-5)
        assert json.loads(about["levels"]) == list(forecast.levels)
    assert json.loads(about["variables"]) == ["open", "high", "low", "close"]
    assert "half-life 11" in about["how"]


def test_the_same_run_gives_the_same_file(trained: TrainedRun) -> None:
    model = read_model(trained.folder / "model.safetensors")
    assert onnx_bytes(model) == onnx_bytes(model)


def test_an_export_that_cannot_be_is_one_line(
    say: Callable[..., Answer], trained: TrainedRun, runs_dir: Path, tmp_path: Path
) -> None:
    answer = say("runs", "export", "smal", "--to", "onnx", "--runs-dir", runs_dir)
    assert answer.code == 2
    assert answer.err == "error: Unknown run 'smal'. Did you mean 'small'?\n"
    answer = say("runs", "export", "small", "--to", "pickle", "--runs-dir", runs_dir)
    assert answer.code == 2
    assert "'pickle' is not" in answer.err
    assert "'onnx'" in answer.err
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "x.onnx"
    answer = say("runs", "export", "small", "--to", "onnx", "--runs-dir", runs_dir, "--output", place)
    assert answer.code == 4
    assert "cannot be written" in answer.err


def test_without_the_library_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"--to onnx needs the onnx library: pip install 'stock-forecaster\[onnx\]'"):
        onnx_bytes(made({"name": "gru"})[0])
