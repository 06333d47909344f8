"""Builds the shipped model from a table of candles: `python benchmarks/pretrained/build.py panel.parquet`.

Trains `pretrained.yaml` as `forecast train` does, then leaves out what a forecast can do without: templates of paths,
which come from the store's candles, and the rows of the scorecard at most steps. Tails stay. The same bytes on the same
machine with one thread (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from forecaster.data.sources import SourceOptions
from forecaster.modelfile import TEMPLATES
from forecaster.runs.folder import MODEL, shipped_run
from forecaster.tensorfile import load_tensors, save_tensors
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train

CONFIG = Path(__file__).with_name("pretrained.yaml")

KEPT = (1, 2, 3, 4, 5, 10, 20, "all")
"""Steps whose scores are stored."""


def main() -> None:
    """Train, strip, write."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        store, runs = Path(folder) / "store", Path(folder) / "runs"
        fetch(source="file", options=SourceOptions(path=options.panel), data_dir=store)
        run = train(str(CONFIG), data_dir=store, runs_dir=runs, name="model", say=print)
        print(run.verdict.text)
        strip(run.folder / MODEL, options.output)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")


def strip(model: Path, target: Path) -> None:
    """Write a model file without templates, and with the scores of a few steps only."""
    tensors, header = load_tensors(model)
    tensors.pop(TEMPLATES, None)
    card = header["scorecard"]
    for key in ("models", "measures", "bands"):
        card[key] = [_rounded(row) for row in card[key] if row["step"] in KEPT]
    save_tensors(target, tensors, header)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("panel", type=Path, help="a long table of daily candles, as forecast fetch --source file reads")
    parser.add_argument("--output", type=Path, default=shipped_run() / MODEL, help="the model file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
