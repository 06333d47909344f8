"""Exports a run's networks to ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forecaster.files import atomic_write
from forecaster.runs.run import Run


@dataclass(frozen=True)
class ExportedRun:
    """The exported file.

    Args:
        features: number of inputs for each candle.
        candles: how many a forecast should read.
        steps: sessions ahead that are forecast.
        size: bytes.
    """

    file: str
    run: str
    features: int
    candles: int
    steps: tuple[int, ...]
    size: int


def export_run(run: str = "latest", *, output: Path | None = None, runs_dir: Path | str = "runs") -> ExportedRun:
    """Writes the networks of a finished run as one ONNX file; `RUN.onnx` in the current folder without `output`.

    Input: float32 [batch, time, feature], batch and time of any size. Output: coherent standardised quantiles at the
    newest candle, [batch, step, variable, level]. The file's metadata has the names and levels, and how to standardise
    inputs and get prices.

    Raises:
        UnknownNameError: no such run.
        InputError: the onnx library is not installed, the model file is damaged, or it cannot be exported to ONNX.
        OutsideError: the file cannot be written.
    """
    from forecaster.deploy.network import onnx_bytes

    one = Run.find(runs_dir, run)
    content = onnx_bytes(one.model)
    file = output or Path(f"{one.name}.onnx")
    with atomic_write(file, named=True) as part:
        part.write_bytes(content)
    task, features = one.config.task, len(one.header.features)
    return ExportedRun(str(file), one.name, features, task.read, task.learnt, len(content))
