"""Checkpoints: what a killed training needs to resume to the same bytes, in one safetensors file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from forecaster.errors import InputError
from forecaster.tensorfile import load_header, load_tensors, part_of, save_tensors
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
    if header["fingerprint"] != fingerprint:
        raise InputError(f"{path} was made with other candles or another config: train again, under a new name.")
    network.load_state_dict(part_of(tensors, "weights/"))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in part_of(tensors, "optimiser/").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimiser.load(state)
    return Progress(
        fingerprint=fingerprint,
        step=header["step"],
        best=header["best"],
        best_weights=part_of(tensors, "best/"),
        curve=[CurvePoint(**point) for point in header["curve"]],
    )


def curve_of(path: Path, fingerprint: str) -> list[CurvePoint]:
    """The curve of a training up to its checkpoint, whose weights are not read; empty if there is none of this run.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return []
    header = load_header(path)
    return [CurvePoint(**point) for point in header["curve"]] if header.get("fingerprint") == fingerprint else []
