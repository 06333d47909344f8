"""The model file: ONE safetensors file with the weights and, in its header, all that a forecast needs to know.

The header is one key of canonical JSON without times of day, so that the same run gives the same bytes. No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.errors import InputError
from forecaster.files import existing_file, replacing
from forecaster.light.network import LightNetwork, light_network

if TYPE_CHECKING:
    from forecaster.models.network import Network

Value = TypeVar("Value")

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


@dataclass(frozen=True, eq=False)
class Model:
    """What a model file holds.

    Args:
        tensors: weights, by `member/name`.
    """

    path: Path
    header: Header
    config: Config
    tensors: Mapping[str, np.ndarray]

    def networks(self) -> list[Network]:
        """The members as torch runs them, on the CPU and ready to forecast.

        Raises:
            InputError: the weights do not fit the config.
        """
        from forecaster.models.build import make_network, put_weights

        networks = []
        for index, model in enumerate(self.config.networks):
            try:
                network = make_network(model, self.config.task.head, len(self.header.features), self.header.base)
                networks.append(put_weights(network, part_of(self.tensors, f"{index}/")).eval())
            except (KeyError, TypeError, ValueError, RuntimeError) as error:
                raise _damaged(self.path, str(error).splitlines()[0]) from error
        return networks

    def light(self) -> Sequence[LightNetwork | Network]:
        """The members as numpy runs them, as far as it can: torch is imported only where it cannot.

        Raises:
            InputError: the weights do not fit the config.
        """
        base = np.asarray(self.header.base)
        found = []
        for index, model in enumerate(self.config.networks):
            try:
                member = light_network(model, self.config.task.head, part_of(self.tensors, f"{index}/"), base)
                if member is None:
                    return self.networks()
                member.run(np.zeros((1, 2, len(self.header.features)), np.float32), 1)
            except (KeyError, ValueError, IndexError, AttributeError) as error:
                raise _damaged(self.path, f"its weights are not those of a {model.name} ({error})") from error
            found.append(member)
        return found


def save_model(path: Path, networks: Sequence[Network], header: Header) -> None:
    """Write a model file with one network or the members of an ensemble, whole or not at all."""
    members = enumerate(map(weights_of, networks))
    tensors = {f"{index}/{name}": value for index, weights in members for name, value in weights.items()}
    save_tensors(path, tensors, {"format": _FORMAT} | asdict(header))


def weights_of(network: Network) -> dict[str, np.ndarray]:
    """A network's state as arrays, by torch's names."""
    return {name: value.cpu().numpy() for name, value in network.state_dict().items()}


def read_model(path: Path) -> Model:
    """Read a model file.

    Raises:
        InputError: it is not there, cut short, of another format, or its weights are not those of its config.
    """
    tensors, values = load_tensors(path)
    if values.pop("format", None) != _FORMAT:
        raise _damaged(path, f"its format is not {_FORMAT}")
    try:
        header = Header(**values | {"features": tuple(values["features"]), "tickers": tuple(values["tickers"])})
        return Model(path, header, Config.model_validate_json(json.dumps(header.config)), tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def load_model(path: Path) -> tuple[list[Network], Config, Header]:
    """Read a model file and rebuild its networks, on the CPU and ready to forecast.

    Raises:
        InputError: as `read_model` and `Model.networks`.
    """
    model = read_model(path)
    return model.networks(), model.config, model.header


def save_tensors(path: Path, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays with one canonical JSON header, whole or not at all."""
    from safetensors.numpy import save

    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    with replacing(path) as part:
        part.write_bytes(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, {_KEY: text}))


def load_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        InputError: it is not there or damaged.
    """
    from safetensors import SafetensorError, safe_open

    existing_file(path, "model file")
    try:
        with safe_open(path, framework="np") as file:
            header: dict[str, Any] = dict(json.loads(file.metadata()[_KEY]))
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, header
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error


def part_of(tensors: Mapping[str, Value], prefix: str) -> dict[str, Value]:
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
