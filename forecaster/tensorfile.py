"""Arrays under names, with one JSON header, in one safetensors file: the form of models, checkpoints and caches.

No pickle; and a stranger's header is believed only as far as the file's size bears it out.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from forecaster import mapped
from forecaster.errors import InputError
from forecaster.files import atomic_write, existing_file, is_refusal, unreadable_errors
from forecaster.printable import printable, quoted

Value = TypeVar("Value")

PARSING_ERRORS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError, EOFError)
"""What parsing a foreign header may raise."""

_KEY = "forecaster"
_LONGEST_HEADER = 8 << 20
_LARGEST = 8 << 30
"""Bytes of a file that is read into memory as a whole: the most weights that a config may have, and 7 % more.

A checkpoint has four numbers for each weight of one network, which is the same size.
"""

_LONGEST_REASON = 200

_TYPES = {"BOOL": "?", "I32": "<i4", "I64": "<i8", "F32": "<f4", "F64": "<f8"}
"""Names of types in the format of safetensors."""


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
        OutsideError: the system refuses to read it.
    """
    with _opened(path) as (file, header):
        return {name: file.get_tensor(name) for name in list(file.keys())}, header


def load_header(path: Path) -> dict[str, Any]:
    """The header alone of what `save_tensors` wrote.

    Raises:
        InputError: the file is missing or damaged.
        OutsideError: the system refuses to read it.
    """
    with _opened(path) as (_, header):
        return header


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A file of arrays, and its header; what reading it raises is its damage."""
    from safetensors import SafetensorError, safe_open

    existing_file(path, "model file")
    with unreadable_errors(path):
        try:
            _check_header(path)
            if (size := path.stat().st_size) > _LARGEST:
                raise InputError(
                    f"model file {path} is too large: it has {size:,} bytes, expected at most {_LARGEST:,}. Name "
                    "another run, or train one of fewer or smaller networks."
                )
            with safe_open(path, framework="np") as file:
                yield file, dict(json.loads(file.metadata()[_KEY]))
        except (SafetensorError, OSError, *PARSING_ERRORS) as error:
            if is_refusal(error):
                raise
            raise damaged(path, first_line(error)) from error


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


def first_line(error: Exception) -> str:
    """The first line of an error, as a message quotes it."""
    text = str(error).strip()
    return printable(text.splitlines()[0])[:_LONGEST_REASON] if text else type(error).__name__


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
        OutsideError: the system refuses to read it.
    """
    if existing_file(path, "model file").stat().st_size < mapped.LARGE:
        return load_tensors(path)
    with unreadable_errors(path):
        try:
            _check_header(path)
            return _mapped(path)
        except PARSING_ERRORS as error:
            raise damaged(path, first_line(error)) from error


def _mapped(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
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


def part_of(tensors: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """Tensors whose names start with the prefix, with the prefix removed."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def damaged(path: Path, reason: str) -> InputError:
    """The error for a file that cannot be used."""
    return InputError(f"model file {path} is damaged: {reason}. Train it again or name another run.")
