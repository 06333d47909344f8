"""Every network as an ONNX file: onnxruntime, which knows nothing of this package, gives the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from forecaster.config.schema import Config
from forecaster.deploy.network import onnx_bytes
from forecaster.features.coherence import coherent
from forecaster.modelfile import Header, Model, weights_of
from forecaster.models import MODELS
from forecaster.models.build import make_network
from forecaster.models.network import Network

FEATURES = 6
BASE = np.sort(np.random.default_rng(0).normal(size=(3, 4, 7)), axis=-1)
VARIANTS: tuple[dict[str, Any], ...] = (
    *({"name": name} for name in MODELS.names()),
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
    header = Header({}, names, base.tolist(), (), {}, "2010-01-04", "", {}, {})
    return Model(Path("model.safetensors"), header, config, tensors), networks


def assert_same(model: Model, networks: list[Network]) -> None:
    """At several sizes of batch and time, the shortest one candle."""
    session = onnxruntime.InferenceSession(onnx_bytes(model))
    for batch, time in ((1, 1), (3, 4), (2, 100), (5, 61)):
        inputs = np.random.default_rng(batch).normal(size=(batch, time, FEATURES)).astype(np.float32)
        (found,) = session.run(None, {"inputs": inputs})
        each = [coherent(network.run(inputs, 1)[:, 0]) for network in networks]
        np.testing.assert_allclose(found, coherent(np.mean(each, axis=0)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: "-".join(map(str, variant.values())))
def test_onnxruntime_gives_what_torch_gives(variant: dict[str, Any]) -> None:
    assert_same(*made(variant))


@pytest.mark.parametrize("head", ["scale", "quantile", "point"])
@pytest.mark.parametrize("decoder", ["direct", "seq2seq", "recursive"])
def test_every_head_and_decoder_is_the_same_elsewhere(head: str, decoder: str) -> None:
    assert_same(*made({"name": "gru", "hidden_size": 8}, head=head, decoder=decoder))


def test_members_are_averaged_as_here() -> None:
    assert_same(*made({"name": "gru", "hidden_size": 8}, {"name": "lstm", "hidden_size": 5, "skip": False}))
