"""TensorBoard: a run's events, in its own folder."""

from __future__ import annotations

import hashlib
import json
import shutil

from forecaster.config.load import to_yaml
from forecaster.tracking.record import Record

EVENTS = "tensorboard"
"""Folder of the events, in that of the run: `tensorboard --logdir runs` finds all runs by their names."""


def write_events(record: Record) -> None:
    """Writes curve, scorecard, config and the model file's name; TensorBoard keeps no files."""
    from torch.utils.tensorboard import SummaryWriter

    folder = record.folder / EVENTS
    shutil.rmtree(folder, ignore_errors=True)
    writer = SummaryWriter(str(folder))
    try:
        for name, value, step in record.curve():
            writer.add_scalar(name, value, step)
        for name, value in record.test().items():
            writer.add_scalar(name, value, 0)
        for name, text in _texts(record).items():
            writer.add_text(name, text)
    finally:
        writer.close()


def _texts(record: Record) -> dict[str, str]:
    """Markdown; an indented block stays as it is."""
    files = (f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in record.files)
    return {
        "verdict": record.scorecard.brief,
        "config": _block(to_yaml(record.config)),
        "scorecard": _block(json.dumps(record.scorecard.as_data(), indent=1)),
        "files": _block("\n".join(files)),
    }


def _block(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
