"""What every reader begins with: a store with the sample, small runs, and files of candles, in one temporary folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import safe_open

from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train
from tests.studio import QUICK

Words = Sequence[str]
"""A command line."""

Feed = Callable[[Path, random.Random], "Words | Callable[[], object]"]
"""Writes one mutated input into an empty folder: the command line that reads it, or the call of the reader alone."""

QUICKEST = (*QUICK, "training.steps=20", "model.hidden_size=4")
TREES = (*(one for one in QUICK if "hidden" not in one), "training.steps=20", "model={name: gbm}")


@dataclass(frozen=True)
class Base:
    """The folder that all readers begin with: `store` with the sample, `runs/small`, `runs/trees`."""

    folder: Path

    def make(self) -> None:
        """Fetch the sample and train."""
        fetch(source="sample", data_dir=self.store)
        train("gru", settings=QUICKEST, data_dir=self.store, runs_dir=self.runs, name="small")
        train(
            "gru",
            settings=list(TREES),
            data_dir=self.store,
            runs_dir=self.runs,
            name="trees",
        )

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def places(self) -> tuple[str, ...]:
        return ("--data-dir", str(self.store), "--runs-dir", str(self.runs))

    @cached_property
    def bars(self) -> Bars:
        return Store(self.store).read("IBM")

    @cached_property
    def candles(self) -> pd.DataFrame:
        """The last sixty of them, as others write them."""
        names = ("open", "high", "low", "close", "adj_close", "volume")
        return pd.DataFrame({"date": self.bars.dates[-60:]} | {name: getattr(self.bars, name)[-60:] for name in names})

    def model(self, run: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Tensors and header of a run's model file."""
        with safe_open(self.runs / run / "model.safetensors", framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
            return tensors, json.loads(file.metadata()["forecaster"])
