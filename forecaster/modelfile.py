"""The model file: one safetensors file with the weights and, in its header, everything else a forecast needs.

The header is one key of canonical JSON without timestamps, so that the same run gives the same bytes. No pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from forecaster import mapped
from forecaster.axes import Float
from forecaster.baselines import BASELINES, FittedBaseline
from forecaster.config.schema import Config, ModelConfig
from forecaster.errors import InputError
from forecaster.files import atomic_write, existing_file, unreadable_errors
from forecaster.header import Header, parse_header
from forecaster.light.network import LightNetwork, light_network
from forecaster.printable import printable, quoted
from forecaster.release import DISTRIBUTION, is_newer, newer_file

if TYPE_CHECKING:
    from forecaster.models.network import Network

Value = TypeVar("Value")

Base = Float[np.ndarray, "horizon variable quantile"]

_KEY = "forecaster"
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
                return FittedBaseline(model.name, weights)
            return self._network(model, weights, base)
        except (*_WRONG, RuntimeError, InputError) as error:
            reason = f"its weights are not those of a {model.name} ({_reason(error)})"
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
    except _WRONG as error:
        raise _unusable(path, made, _reason(error)) from error
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise _unusable(path, made, f"{quoted(name)} holds NaN or infinity")
    if is_newer(made) and not _all_known(model.config):
        raise _unusable(path, made, "it uses names unknown to this version")
    return model


def save_tensors(path: Path, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays with one canonical JSON header, atomically."""
    from safetensors.numpy import save

    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    with atomic_write(path) as part:
        part.write_bytes(save({name: np.ascontiguousarray(array) for name, array in tensors.items()}, {_KEY: text}))


def load_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        InputError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    existing_file(path, "model file")
    with unreadable_errors(path):
        try:
            _check_header(path)
            with safe_open(path, framework="np") as file:
                header: dict[str, Any] = dict(json.loads(file.metadata()[_KEY]))
                names = list(file.keys())
                return {name: file.get_tensor(name) for name in names}, header
        except (SafetensorError, OSError, *_WRONG) as error:
            if isinstance(error, OSError) and error.errno is not None:  # a refusal of the system is no damage
                raise
            raise _damaged(path, _reason(error)) from error


def _check_header(path: Path) -> None:
    """Check the declared length of the header before anything parses it: JSON takes thirty times its size in memory.

    Shapes need no check here: safetensors compares them with the size of the file.

    Raises:
        ValueError: it is longer than the file, or than any of ours.
    """
    with path.open("rb") as file:
        length, rest = int.from_bytes(file.read(8), "little"), path.stat().st_size - 8
    if length > min(rest, _LONGEST_HEADER):
        raise ValueError(f"its header claims {length:,} bytes, expected at most {min(max(rest, 0), _LONGEST_HEADER):,}")


_WRONG = (KeyError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What parsing a foreign header may raise."""

_LONGEST_HEADER = 8 << 20


def _reason(error: Exception) -> str:
    """The first line of an error, as a message quotes it."""
    text = str(error).strip()
    return printable(text.splitlines()[0])[:_LONGEST_REASON] if text else type(error).__name__


_LONGEST_REASON = 200


_TYPES = {"BOOL": "?", "I32": "<i4", "I64": "<i8", "F32": "<f4", "F64": "<f8"}
"""Names of types in the format of safetensors."""


def write_map(path: Path, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """`save_tensors` for arrays that may be larger than memory: one is written after the other, without a copy.

    Raises:
        OutsideError: the file cannot be written.
    """
    codes = {np.dtype(code): name for name, code in _TYPES.items()}
    ordered = sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize)  # so that each one is aligned
    described: dict[str, Any] = {"__metadata__": {_KEY: json.dumps(header, sort_keys=True)}}
    end = 0
    for name, array in ordered:
        begin, end = end, end + array.nbytes
        described[name] = {"dtype": codes[array.dtype], "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(described).encode()
    text += b" " * (-len(text) % 8)
    with atomic_write(path) as part, part.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in ordered:
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def read_map(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """`load_tensors`, but the arrays of a large file are maps of it.

    Raises:
        InputError: the file is missing or damaged.
    """
    if existing_file(path, "model file").stat().st_size < mapped.LARGE:
        return load_tensors(path)
    try:
        _check_header(path)
        raw = np.memmap(path, np.uint8, "c").view(np.ndarray)
        start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
        described = json.loads(raw[8:start].tobytes())
        header: dict[str, Any] = dict(json.loads(described.pop("__metadata__")[_KEY]))
        tensors = {}
        for name, one in described.items():
            begin, end = (start + offset for offset in one["data_offsets"])
            if not start <= begin <= end <= len(raw):
                raise ValueError(f"{quoted(name)} lies outside of the file")
            tensors[name] = raw[begin:end].view(_TYPES[one["dtype"]]).reshape(one["shape"])
        return tensors, header
    except (OSError, *_WRONG) as error:
        raise _damaged(path, _reason(error)) from error


def part_of(tensors: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """Tensors whose names start with the prefix, with the prefix removed."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


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
    return newer_file(f"model file {path}", made, "train again") if is_newer(made) else _damaged(path, reason)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"model file {path} is damaged: {reason}. Train it again or name another run.")
