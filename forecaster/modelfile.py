"""The model file: one safetensors file with the weights and, in its header, everything else a forecast needs.

The header is one key of canonical JSON without timestamps, so that the same run gives the same bytes. No pickle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.baselines.arrays import check_fitted
from forecaster.config.schema import Config, ModelConfig
from forecaster.errors import InputError
from forecaster.header import Header, parse_header
from forecaster.light.network import LightNetwork, light_network
from forecaster.printable import quoted
from forecaster.release import DISTRIBUTION, is_newer, newer_file
from forecaster.tensorfile import PARSING_ERRORS, damaged, first_line, load_tensors, part_of, save_tensors

if TYPE_CHECKING:
    from forecaster.models.network import Network

Base = Float[np.ndarray, "horizon variable quantile"]

_FORMAT = 1

TEMPLATES = "paths/templates"
"""Name of the tensor of path templates (standardised moves)."""

TAILS = "tails/fit"
"""Name of the tensor of the tails beyond the outer levels (see `inference.tails`)."""


@dataclass(frozen=True, eq=False)
class Model:
    """Contents of a model file.

    Args:
        tensors: weights, under `member/name`; those refitted for production under `production/member/name`.
    """

    path: Path
    header: Header
    tensors: Mapping[str, np.ndarray]

    @property
    def config(self) -> Config:
        """The resolved config of the run."""
        return self.header.config

    def members(self) -> list[Network | FittedBaseline]:
        """The members as tested, with torch networks, on the CPU and in eval mode.

        Raises:
            InputError: the weights do not fit the config.
        """
        return [self._member(index, torch_too=True) for index in range(len(self.config.networks))]

    def light(self, production: bool = False) -> list[LightNetwork | Network | FittedBaseline]:
        """The members in numpy where possible; torch is imported only for the others.

        Args:
            production: return those refitted on all candles, if there are any.

        Raises:
            InputError: the weights do not fit the config.
        """
        place = "production/" if production and self.header.refit else ""
        return [self._member(index, place) for index in range(len(self.config.networks))]

    @property
    def templates(self) -> np.ndarray | None:
        """Path templates, standardised moves "template step variable"; None if the file has none."""
        return self.tensors.get(TEMPLATES)

    @property
    def tails(self) -> np.ndarray | None:
        """Tails beyond the outer levels, "horizon variable 2 2"; None in a file of an older version."""
        return self.tensors.get(TAILS)

    def _member(self, index: int, place: str = "", torch_too: bool = False) -> Any:
        model = self.config.networks[index]
        weights = part_of(self.tensors, f"{place}{index}/")
        base = self.header.refit.base if place and self.header.refit else self.header.base
        try:
            if not torch_too and (found := self._light(model, weights, base)):
                return found
            if model.name in BASELINES:
                task = self.config.task
                check_fitted(model.name, weights, task.steps, task.levels, len(self.header.features))
                return FittedBaseline(model.name, weights)
            return self._network(model, weights, base)
        except (*PARSING_ERRORS, RuntimeError, InputError) as error:
            reason = f"its weights are not those of a {model.name} ({first_line(error)})"
            raise _unusable(self.path, _maker(self.header.versions), reason) from error

    def _light(self, model: ModelConfig, weights: Mapping[str, np.ndarray], base: Base) -> LightNetwork | None:
        member = light_network(model, self.config.task.head, weights, base, self.config.task.decoder)
        if member is not None:
            # A trial run: weights of the wrong shape must fail here, where the error names the file.
            member.run(np.zeros((1, 2, len(self.header.features)), np.float32), 1)
        return member

    def _network(self, model: ModelConfig, weights: Mapping[str, np.ndarray], base: Base) -> Network:
        from forecaster.models.build import check_shapes, load_weights, make_network

        check_shapes(model, len(self.header.features), part_of(weights, "body."))

        task = self.config.task
        network = make_network(model, task.head, len(self.header.features), base, task.decoder, task.teacher_forcing)
        return load_weights(network, weights).eval()


def save_model(
    path: Path,
    members: Sequence[Network | FittedBaseline],
    header: Header,
    *,
    production: Sequence[Network | FittedBaseline] = (),
    templates: Float[np.ndarray, "template step variable"] | None = None,
    tails: Float[np.ndarray, "horizon variable 2 2"] | None = None,
) -> None:
    """Write a model file with one or more members, atomically."""
    tensors = _named("", members) | _named("production/", production)
    if templates is not None:
        tensors[TEMPLATES] = templates
    if tails is not None:
        tensors[TAILS] = tails
    save_tensors(path, tensors, {"format": _FORMAT} | header.as_json())


def _named(place: str, members: Sequence[Network | FittedBaseline]) -> dict[str, np.ndarray]:
    return {
        f"{place}{index}/{name}": value
        for index, member in enumerate(members)
        for name, value in weights_of(member).items()
    }


def weights_of(member: Network | FittedBaseline) -> Mapping[str, np.ndarray]:
    """Trained arrays of a member: a network's parameters under torch's names, or a baseline's fitted arrays."""
    if isinstance(member, FittedBaseline):
        return member.fitted
    return {name: value.cpu().numpy() for name, value in member.state_dict().items()}


def read_model(path: Path) -> Model:
    """Read a model file.

    Raises:
        NewerFileError: a newer version of this program made the file, and this one cannot read it.
        InputError: the file is missing, truncated, of another format, or its weights do not match its config.
    """
    tensors, values = load_tensors(path)
    made, form = _maker(values.get("versions")), values.pop("format", None)
    if isinstance(form, int) and form > _FORMAT:
        raise newer_file(f"model file {path}", made, "train again")
    if form != _FORMAT:
        raise _unusable(path, made, f"its format is not {_FORMAT}")
    try:
        model = Model(path, parse_header(values), tensors)
    except PARSING_ERRORS as error:
        raise _unusable(path, made, first_line(error)) from error
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise _unusable(path, made, f"{quoted(name)} holds NaN or infinity")
    if is_newer(made) and not _all_known(model.config):
        raise _unusable(path, made, "it uses names unknown to this version")
    return model


def versions() -> dict[str, str]:
    """Versions of the libraries that determine a run's numbers."""
    from importlib.metadata import version

    return {"forecaster": version(DISTRIBUTION)} | {name: version(name) for name in ("torch", "numpy")}


def _all_known(config: Config) -> bool:
    """Whether this version knows every name in a config: networks and their parameters, baselines, feature groups."""
    from forecaster.features import GROUPS
    from forecaster.models.build import model_names, parameters

    networks = all(
        network.name in model_names() and parameters(network.name).model_fields.keys() >= network.parameters.keys()
        for network in config.networks
    )
    baselines = all(name in BASELINES for name in config.evaluation.baselines)
    return networks and baselines and all(name in GROUPS for name in config.features)


def _maker(versions: object) -> object:
    """The version of this program that made a file, from its header."""
    return versions.get("forecaster") if isinstance(versions, dict) else None


def _unusable(path: Path, made: object, reason: str) -> InputError:
    """The error for a readable file with bad contents: made by a newer version, or else damaged."""
    return newer_file(f"model file {path}", made, "train again") if is_newer(made) else damaged(path, reason)
