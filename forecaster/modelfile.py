"""The model file: ONE safetensors file with the weights and, in its header, all that a forecast needs to know.

The header is one key of canonical JSON without times of day, so that the same run gives the same bytes. No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.errors import InputError
from forecaster.files import existing_file, replacing
from forecaster.models.build import make_network
from forecaster.models.network import Network

_KEY = "forecaster"
_FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What a model file says of itself.

    Args:
        config: the resolved config, as JSON.
        features: names of the network's inputs, in order.
        base: pooled quantiles of the standardised move, [horizon][variable][quantile].
        tickers: symbols it was trained on.
        split: last dates of training, validation and test.
        fitted_to: last date that had a part in it: what was learnt from, or chosen by.
        fingerprint: of the panel it was trained on.
        versions: of the libraries that made it.
        scorecard: how it did in the test period, beside the baselines.
    """

    config: dict[str, Any]
    features: tuple[str, ...]
    base: list[list[list[float]]]
    tickers: tuple[str, ...]
    split: dict[str, str]
    fitted_to: str
    fingerprint: str
    versions: dict[str, str]
    scorecard: dict[str, Any]


def save_model(path: Path, networks: Sequence[Network], header: Header) -> None:
    """Write a model file with one network or the members of an ensemble, whole or not at all."""
    tensors = {
        f"{index}/{name}": value
        for index, network in enumerate(networks)
        for name, value in network.state_dict().items()
    }
    save_tensors(path, tensors, {"format": _FORMAT} | asdict(header))


def load_model(path: Path) -> tuple[list[Network], Config, Header]:
    """Read a model file and rebuild its networks, on the CPU and ready to forecast.

    Raises:
        InputError: it is not there, cut short, of another format, or its weights do not fit its config.
    """
    tensors, values = load_tensors(path)
    if values.pop("format", None) != _FORMAT:
        raise _damaged(path, f"its format is not {_FORMAT}")
    try:
        header = Header(**values | {"features": tuple(values["features"]), "tickers": tuple(values["tickers"])})
        config = Config.model_validate_json(json.dumps(header.config))
        networks = [
            make_network(model, config.task.head, len(header.features), header.base) for model in config.networks
        ]
        for index, network in enumerate(networks):
            network.load_state_dict(part_of(tensors, f"{index}/"))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error
    return [network.eval() for network in networks], config, header


def save_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors with one canonical JSON header, whole or not at all."""
    from safetensors.torch import save

    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    with replacing(path) as part:
        part.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}, {_KEY: text}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        InputError: it is not there or damaged.
    """
    from safetensors import SafetensorError, safe_open

    existing_file(path, "model file")
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = dict(json.loads(file.metadata()[_KEY]))
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, header
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def versions() -> dict[str, str]:
    """Of the libraries that decide a run's numbers."""
    from importlib.metadata import version

    return {name: version(name) for name in ("forecaster", "torch", "numpy")}


def base_as_lists(base: Float[np.ndarray, "horizon variable quantile"]) -> list[list[list[float]]]:
    """Base quantiles as the header holds them."""
    lists: list[list[list[float]]] = base.tolist()
    return lists


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"model file {path} is damaged: {reason}. Train it again or name another run.")
