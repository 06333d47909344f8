"""What is measured of each library, one stage after another; figures gather in one dictionary a library."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from environments import OURS, BrokenError, Environment
from judge import Cells, seconds_to
from table import TARGETS
from work import CELLS

ABSENT = {"gluonts": ("gru", "rnn"), "pytorch-forecasting": ("rnn",)}
"""Cells that a library does not have."""

IMPORTS = {
    "neuralforecast": "from neuralforecast import NeuralForecast; from neuralforecast.models import LSTM",
    "darts": "from darts import TimeSeries; from darts.models import BlockRNNModel",
    "pytorch-forecasting": "from pytorch_forecasting import DeepAR, TimeSeriesDataSet",
    "gluonts": "from gluonts.torch import DeepAREstimator",
    OURS: "import forecaster; forecaster.train; import forecaster.training.members",
}
"""What a script that trains must import; torch comes with each of them."""

WAYS = {OURS: ("closes", "shipped")}
"""Ways to do the work; the peers know one, by the closes."""


@dataclass(frozen=True)
class Bench:
    """Everything the stages share.

    Args:
        shared: folder of the work, the cells and the stores.
        results: figures by library; of a library that broke, what it said.
        repeats: of what is timed.
        speed_budget: CPU-seconds of training for the speed of a cell; `skill_budget` towards skill.
    """

    environments: list[Environment]
    shared: Path
    results: dict[str, dict[str, Any]]
    repeats: int
    speed_budget: float
    skill_budget: float

    def each(self, what: str, do: Callable[[Environment], None]) -> None:
        """Do it in each environment in turn; one that breaks is noted, told, and left out from then on."""
        for one in self.environments:
            if "broken" in self.results[one.name]:
                continue
            print(f"{what}: {one.name}", file=sys.stderr, flush=True)
            try:
                do(one)
            except BrokenError as error:
                self.results[one.name]["broken"] = str(error)
                print(f"error: {error}", file=sys.stderr, flush=True)

    def source(self, one: Environment) -> Path:
        """What its script reads."""
        return self.shared if one.name == OURS else self.shared / "work.npz"


def measure(bench: Bench) -> None:
    """All stages."""
    _speed(bench)
    bench.each("skill", lambda one: _skill(bench, one))
    _starts(bench)
    bench.each("size", lambda one: bench.results[one.name].update(install_mb=one.megabytes(), versions=one.versions()))


def _speed(bench: Bench) -> None:
    """Windows a second of each cell, peak memory, and what comes before the second step: medians, libraries in turn."""
    found: dict[str, list[dict[str, Any]]] = {one.name: [] for one in bench.environments}

    def once(one: Environment) -> None:
        output, cells = one.folder / "speed.json", [cell for cell in CELLS if cell not in ABSENT.get(one.name, ())]
        budget = ("--budget", bench.speed_budget)
        one.run(one.script, "speed", bench.source(one), output, "--cells", *cells, *budget)
        found[one.name].append(json.loads(output.read_text(encoding="utf-8")))

    for repeat in range(bench.repeats):
        bench.each(f"speed, {repeat + 1} of {bench.repeats}", once)
    for name, times in found.items():
        if times:
            windows = {cell: [one["windows"][cell] for one in times] for cell in times[0]["windows"]}
            bench.results[name] |= {
                "windows": {cell: statistics.median(values) for cell, values in windows.items()},
                "windows_spread": {cell: (min(values), max(values)) for cell, values in windows.items()},
                "peak_mb": _median(one["peak"] for one in times),
                "first_step_s": _median(one["first_step"] for one in times),
            }


def _skill(bench: Bench, one: Environment) -> None:
    """What the forecasts are worth after so many steps, and the CPU-seconds to each target."""
    skill = bench.results[one.name]["skill"] = {}
    for way in WAYS.get(one.name, ("closes",)):
        output = one.folder / f"skill-{way}.npz"
        more = ("--way", way) if one.name == OURS else ("--budget", bench.skill_budget)
        one.run(one.script, "skill", bench.source(one), output, "--cells", "lstm", *more)
        skill[way] = judged(Cells.load(bench.shared / "cells.npz"), output)


def judged(cells: Cells, path: Path) -> dict[str, Any]:
    """The verdicts on what a process left: each training, the best, and the cheapest to each target."""
    with np.load(path) as arrays:
        steps, seconds = arrays["steps"].tolist(), arrays["seconds"].tolist()
        verdicts = [cells.judge(quantiles) for quantiles in arrays["quantiles"]]
    return {
        "best": max(verdicts, key=lambda verdict: verdict.skill)._asdict(),
        "seconds_to": {f"{target:.2f}": seconds_to(target, verdicts, seconds) for target in TARGETS},
        "tried_s": max(seconds),
        "curve": [
            {"steps": one, "seconds": round(time, 3), **verdict._asdict()}
            for one, time, verdict in zip(steps, seconds, verdicts, strict=True)
        ],
    }


def _starts(bench: Bench) -> None:
    """CPU-seconds of an import, and of a cold process to a forecast of the next five sessions by a saved model."""
    found: dict[str, list[tuple[float, float, float]]] = {one.name: [] for one in bench.environments}
    tickers = sorted(path.stem for path in (bench.shared / "candles").glob("*.parquet"))
    ticker = "AAPL" if "AAPL" in tickers else tickers[0]

    def save(one: Environment) -> None:
        if one.name == OURS:  # the peers' models were left by the skill
            shutil.rmtree(one.folder / "runs", ignore_errors=True)
            one.run(one.script, "save", bench.shared, one.folder / "runs")

    def once(one: Environment) -> None:
        cold: tuple[object, ...] = (one.script, "cold", one.folder / "model")
        if one.name == OURS:
            stores = ("--data-dir", bench.shared / "candles", "--runs-dir", one.folder / "runs")
            cold = ("-m", "forecaster", "predict", ticker, *stores)
        imported, ended = one.run("-c", IMPORTS[one.name]), one.run(*cold)
        found[one.name].append((imported.cpu, ended.cpu, ended.wall))

    bench.each("saving", save)
    for repeat in range(bench.repeats):
        bench.each(f"import and cold start, {repeat + 1} of {bench.repeats}", once)
    for name, times in found.items():
        if times:
            keys = ("import_s", "cold_s", "cold_wall_s")
            bench.results[name] |= dict(zip(keys, map(_median, zip(*times, strict=True)), strict=True))


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
