"""Files of a training: checkpoints while it runs, and the training curve."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from forecaster.files import read_text, write_text

_COLUMNS = ("member", "step", "loss", "validation", "skill")

Curves = Sequence[Sequence["CurvePoint"]]
"""The training curve of each member, in order; empty for a baseline."""


@dataclass
class CurvePoint:
    """A point of the training curve: mean loss since the last point; validation loss and skill if measured."""

    step: int
    loss: float
    validation: float | None = None
    skill: float | None = None


def checkpoint(folder: Path, member: str) -> Path:
    """Path of a network's checkpoint, which exists until the run is finished."""
    return folder / f"checkpoint-{member}.safetensors"


def shared_candles(folder: Path, mark: str = "") -> Path:
    """Folder of the candles that other processes train on, which exists while they do; `mark` as of checkpoints."""
    return folder / f".{mark}candles"


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints of an unfinished training."""
    return sorted(folder.glob("checkpoint-*.safetensors"))


def write_curves(path: Path, curves: Curves) -> None:
    """Write the training curves as CSV, atomically."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"member": member} | asdict(point) for member, curve in enumerate(curves) for point in curve)
    write_text(path, buffer.getvalue())


def read_curves(path: Path, members: int) -> Curves | None:
    """Read what `write_curves` wrote, for `members` members; None if missing or damaged."""
    curves: list[list[CurvePoint]] = [[] for _ in range(members)]
    try:
        for line in csv.DictReader(read_text(path).splitlines()):
            validation, skill = (float(line[name]) if line[name] else None for name in _COLUMNS[3:])
            curves[int(line["member"])].append(CurvePoint(int(line["step"]), float(line["loss"]), validation, skill))
    except (OSError, KeyError, TypeError, ValueError, IndexError):
        return None
    return curves
