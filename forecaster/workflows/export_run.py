"""A run's networks for use elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forecaster.files import atomic_write
from forecaster.runs.run import Run


@dataclass(frozen=True)
class ExportedRun:
    """What an export wrote.

    Args:
        features: the networks' inputs a candle.
        candles: that a forecast should have read.
        steps: sessions ahead that come out.
        size: bytes.
    """

    file: str
    run: str
    features: int
    candles: int
    steps: tuple[int, ...]
    size: int


def export_run(run: str = "latest", *, output: Path | None = None, runs_dir: Path | str = "runs") -> ExportedRun:
    """Write the networks of a finished run as one ONNX file; `RUN.onnx` in the present folder without `output`.

    Its input is float32 "batch time feature", of any batch and time; its output are coherent standardised quantiles at
    the newest candle, "batch step variable level". Names, levels, and how to standardise and to get prices stand in the
    file's metadata.

    Raises:
        UnknownNameError: no such run.
        InputError: the onnx library is not installed, the model file is damaged or has no ONNX form.
        OutsideError: the file cannot be written.
    """
    from forecaster.deploy.network import onnx_bytes

    one = Run.find(runs_dir, run)
    content = onnx_bytes(one.model)
    file = output or Path(f"{one.name}.onnx")
    with atomic_write(file) as part:
        part.write_bytes(content)
    task, features = one.config.task, len(one.header.features)
    return ExportedRun(str(file), one.name, features, task.read, task.learnt, len(content))
