"""The model file: a round trip, the same bytes for the same run, and one line for whatever is damaged."""

from __future__ import annotations

import builtins
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from forecaster.config.schema import Config, ModelConfig
from forecaster.data.splits import Split
from forecaster.errors import InputError
from forecaster.header import Header
from forecaster.modelfile import read_model, save_model
from forecaster.models.build import make_network
from forecaster.models.network import Network

BASE = np.linspace(-2, 2, 7) * np.ones((2, 4, 1))
CONFIG = Config(model=ModelConfig(name="gru", hidden_size=3), task={"horizon": 2})


def network(seed: int = 0, base: np.ndarray = BASE) -> Network:
    torch.manual_seed(seed)
    return make_network(CONFIG.networks[0], "scale", 3, base)


HEADER = Header(
    config=CONFIG,
    features=("a.x", "a.y", "b.z"),
    base=BASE,
    tickers=("AAA", "ÅB"),
    split=Split(*(np.datetime64(f"{year}-01-01") for year in (2001, 2002, 2003))),
    fitted_to=np.datetime64("2001-01-01"),
    fingerprint="f00d",
    versions={"torch": "2"},
    scorecard={"verdict": {"code": "skill", "p_value": None}},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    save_model(file, [network()], HEADER)
    return file


def complaint(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_model(path).members()
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_was_saved_comes_back(path: Path) -> None:
    model = read_model(path)
    networks, config, header = model.members(), model.config, model.header
    candles = torch.randn(2, 9, 3)
    assert header.as_json() == HEADER.as_json()
    assert config == CONFIG
    assert len(networks) == 1
    assert not networks[0].training
    assert torch.equal(networks[0](candles, 4), network()(candles, 4))


def test_the_members_of_an_ensemble_share_one_file(tmp_path: Path) -> None:
    config = Config(members=(CONFIG.networks[0],) * 2, task={"horizon": 2})
    file = tmp_path / "two.safetensors"
    save_model(file, [network(0), network(1)], replace(HEADER, config=config))
    networks = read_model(file).members()
    candles = torch.randn(2, 9, 3)
    for seed, one in enumerate(networks):
        assert torch.equal(one(candles, 1), network(seed)(candles, 1))


def test_the_same_run_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_model(again, [network()], HEADER)
    assert again.read_bytes() == path.read_bytes()
    save_model(again, [network(1)], HEADER)
    assert again.read_bytes() != path.read_bytes()


def test_the_header_is_one_key_of_canonical_json(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert list(metadata) == ["forecaster"]
    values = json.loads(metadata["forecaster"])
    assert metadata["forecaster"] == json.dumps(values, sort_keys=True, separators=(",", ":"))
    assert values["format"] == 1
    assert values["config"]["task"]["horizon"] == 2


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100, -1, -100])
def test_a_file_cut_short_is_said_to_be_damaged(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    assert "damaged" in complaint(path)


def test_flipped_bytes_in_the_header_are_said(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8:40] = bytes(32)
    path.write_bytes(content)
    assert "damaged" in complaint(path)


def test_a_foreign_safetensors_file_is_said(path: Path) -> None:
    save_file({"x": torch.zeros(2)}, path)
    assert "damaged" in complaint(path)


@pytest.mark.parametrize("text", ["[]", "3", "null", "{}", '{"format": 0}', '{"format": 1}', "not json"])
def test_a_header_of_another_make_is_said(path: Path, text: str) -> None:
    save_file({"x": torch.zeros(2)}, path, {"forecaster": text})
    assert "damaged" in complaint(path)


def broken(path: Path, tensors: dict[str, Tensor] | None = None, **changes: object) -> str:
    with safe_open(path, framework="pt") as file:
        held = {name: file.get_tensor(name) for name in list(file.keys())}
        values = json.loads(file.metadata()["forecaster"])
    save_file(held if tensors is None else tensors, path, {"forecaster": json.dumps(values | changes)})
    return complaint(path)


def test_weights_that_do_not_fit_are_said(path: Path) -> None:
    shapes = {f"0/{name}": torch.zeros(2, 2) for name in network().state_dict()}
    assert "damaged" in broken(path, shapes)


def test_missing_weights_are_said(path: Path) -> None:
    assert "damaged" in broken(path, {"0/x": torch.zeros(1)})


@pytest.mark.parametrize(
    "changes",
    [
        {"features": ["a.x"]},
        {"features": None},
        {"base": [[1.0]]},
        {"base": "wide"},
        {"config": {}},
        {"config": {"model": {"name": "gru", "hidden_size": 4}}},
        {"surprise": 1},
    ],
)
def test_a_header_that_does_not_fit_the_weights_is_said(path: Path, changes: dict[str, object]) -> None:
    assert "damaged" in broken(path, **changes)


def test_a_text_file_and_a_missing_one_are_said(path: Path) -> None:
    path.write_text("a model\n")
    assert "damaged" in complaint(path)
    path.unlink()
    assert "is not a file" in complaint(path)


def test_nothing_is_unpickled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pickle was read")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    read_model(path).members()
    path.write_bytes(b"\x80\x04c" + builtins.__name__.encode() + b"\nprint\n(S'hello'\ntR.")
    assert "damaged" in complaint(path)
