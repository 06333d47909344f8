"""Checkpoints: what a killed training needs to resume to the same bytes, in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from forecaster.errors import InputError
from forecaster.parsing import number, text, whole
from forecaster.tensorfile import PARSING_ERRORS, damaged, first_line, load_header, load_tensors, part_of, save_tensors
from forecaster.training.adamw import AdamW
from forecaster.training.files import CurvePoint


@dataclass
class Progress:
    """State of a training.

    Args:
        fingerprint: of data and config, so that a run cannot resume with others.
        step: optimiser steps done.
        best: lowest validation loss so far (early stopping).
        best_weights: the weights that reached it.
    """

    fingerprint: str
    step: int = 0
    best: float | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    curve: list[CurvePoint] = field(default_factory=list)


def save_checkpoint(path: Path, progress: Progress, network: nn.Module, optimiser: AdamW) -> None:
    """Write the state between two steps, atomically."""
    tensors = {f"weights/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in progress.best_weights.items()}
    for index, state in enumerate(optimiser.state):
        tensors |= {f"optimiser/{index}/{name}": value for name, value in state.items()}
    header = {
        "fingerprint": progress.fingerprint,
        "step": progress.step,
        "best": progress.best,
        "curve": [asdict(point) for point in progress.curve],
    }
    save_tensors(path, {name: value.cpu().numpy() for name, value in tensors.items()}, header)


def load_checkpoint(path: Path, fingerprint: str, network: nn.Module, optimiser: AdamW) -> Progress:
    """Restore network and optimiser from a checkpoint.

    Raises:
        InputError: the file is damaged, or was made from other data or another config.
    """
    arrays, header = load_tensors(path)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    try:
        progress = _progress(header, part_of(tensors, "best/"))
        if progress.fingerprint == fingerprint:
            _restore(tensors, network, optimiser)
    except (*PARSING_ERRORS, RuntimeError) as error:
        raise damaged(path, first_line(error)) from error
    if progress.fingerprint != fingerprint:
        raise InputError(f"{path} was made with other candles or another config: train again, under a new name.")
    return progress


def _restore(tensors: Mapping[str, Tensor], network: nn.Module, optimiser: AdamW) -> None:
    network.load_state_dict(part_of(tensors, "weights/"))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in part_of(tensors, "optimiser/").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimiser.load(state)


def _progress(header: Mapping[str, Any], best_weights: dict[str, Tensor]) -> Progress:
    curve = [
        CurvePoint(
            step=whole(point["step"]),
            loss=number(point["loss"]),
            validation=_optional(point["validation"]),
            skill=_optional(point["skill"]),
        )
        for point in header["curve"]
    ]
    if not curve:
        raise ValueError("its curve has no point")
    return Progress(
        fingerprint=text(header["fingerprint"]),
        step=whole(header["step"]),
        best=_optional(header["best"]),
        best_weights=best_weights,
        curve=curve,
    )


def curve_of(path: Path, fingerprint: str) -> list[CurvePoint]:
    """The curve of a training up to its checkpoint, whose weights are not read; empty if there is none of this run.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return []
    header = load_header(path)
    try:
        progress = _progress(header, {})
    except PARSING_ERRORS as error:
        raise damaged(path, first_line(error)) from error
    return progress.curve if progress.fingerprint == fingerprint else []


def _optional(value: object) -> float | None:
    return None if value is None else number(value)
