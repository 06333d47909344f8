"""The same work with four well-known libraries and with this project: `python benchmarks/peers/run.py [PANEL]`.

PANEL is a table of daily candles as `forecast fetch --source file` reads it; `--data-dir` takes a store that is there;
without either, it is the sample that ships. Each library gets an environment of its own under build/peers (gigabytes,
made once) and works in processes of its own, one thread of one core each. Prints one table and leaves results.json in
build/peers; `--record` writes results.json and the table of README.md beside this file instead.

`--only forecaster` measures one library again and takes the others' figures from the last results.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from environments import FOLDER, OURS, ROOT, Broken, Environment, make, pins
from judge import Cells, seconds_to
from table import TARGETS, render
from work import CELLS

BUILD = ROOT / "build" / "peers"
ABSENT = {"gluonts": ("gru", "rnn"), "pytorch-forecasting": ("rnn",)}
"""Cells that a library does not have."""

IMPORTS = {
    "neuralforecast": "from neuralforecast import NeuralForecast; from neuralforecast.models import LSTM",
    "darts": "from darts import TimeSeries; from darts.models import BlockRNNModel",
    "pytorch-forecasting": "from pytorch_forecasting import DeepAR, TimeSeriesDataSet",
    "gluonts": "from gluonts.torch import DeepAREstimator",
    OURS: "import forecaster; forecaster.train; import forecaster.workflows.learn",
}
"""What a script that trains must import; torch comes with each of them."""

WAYS = ("closes", "shipped")


def main() -> int:
    options = _options()
    folder = FOLDER if options.record else BUILD
    wanted = {**pins((FOLDER / "pins.txt").read_text(encoding="utf-8")), OURS: str(ROOT)}
    chosen = {name: wanted[name] for name in wanted if name in options.only}
    environments = {}
    for name, requirement in chosen.items():
        with _told(f"installing {name}"):
            environments[name] = make(name, requirement, BUILD)
    shared = _shared(options)
    mark = hashlib.sha256((shared / "work.npz").read_bytes()).hexdigest()[:16]
    results = _earlier(folder / "results.json", mark)
    for name in environments:
        results[name] = {"seconds": {}}
    for stage in (_speed, _skill, _starts, _sizes):
        stage(environments, shared, results, options)
    text = json.dumps({"data": mark, "libraries": results}, indent=1)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    table = render(results)
    if options.record:
        _into_readme(table)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{table}\n\nThis took {(used.ru_utime + used.ru_stime) / 60:.0f} CPU-minutes.")
    return int(any("broken" in one for one in results.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, nargs="?")
    parser.add_argument("--data-dir", type=Path, help="a store, instead of a table")
    parser.add_argument("--only", nargs="+", choices=[*IMPORTS], default=[*IMPORTS], metavar="NAME")
    parser.add_argument("--repeats", type=int, default=3, help="of speed, import and cold start (3)")
    parser.add_argument("--budget", type=float, default=60, help="CPU-seconds of training towards skill (60)")
    parser.add_argument("--speed-budget", type=float, default=3, help="CPU-seconds of training for speed (3)")
    parser.add_argument("--record", action="store_true", help="write results.json and README.md beside this file")
    return parser.parse_args()


@contextmanager
def _told(what: str) -> Iterator[None]:
    print(what, file=sys.stderr, flush=True)
    yield


def _shared(options: argparse.Namespace) -> Path:
    """Work and cells, by this project in a process of its own."""
    ours = make(OURS, str(ROOT), BUILD)
    folder, store = BUILD / "work", options.data_dir
    shutil.rmtree(folder, ignore_errors=True)
    if store is None:
        store = BUILD / "store"
        shutil.rmtree(store, ignore_errors=True)
        source = ("--source", "file", "--path", options.panel.resolve()) if options.panel else ("--source", "sample")
        ours.run("-m", "forecaster", "fetch", *source, "--data-dir", store, "--quiet")
    with _told("preparing"):
        ours.run(ours.script, "prepare", store.resolve(), folder)
    return folder


def _earlier(path: Path, mark: str) -> dict[str, Any]:
    """The last results, where they are of the same data."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return dict(found["libraries"]) if found.get("data") == mark else {}


def _each(environments: dict[str, Environment], results: dict[str, Any], do: Callable[[Environment], None]) -> None:
    """Do it in each environment that is not broken yet; what breaks is noted and told."""
    for name, environment in environments.items():
        if "broken" in results[name]:
            continue
        try:
            do(environment)
        except Broken as error:
            results[name]["broken"] = str(error)
            print(f"error: {error}", file=sys.stderr, flush=True)


def _source(environment: Environment, shared: Path) -> Path:
    return shared if environment.name == OURS else shared / "work.npz"


def _speed(environments: dict[str, Environment], shared: Path, results: dict[str, Any], options: Any) -> None:
    """Windows a second of each cell, peak memory, and what comes before the first step: medians, libraries in turn."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in environments}

    def once(one: Environment) -> None:
        output, cells = one.folder / "speed.json", [cell for cell in CELLS if cell not in ABSENT.get(one.name, ())]
        budget = ("--budget", options.speed_budget)
        one.run(one.script, "speed", _source(one, shared), output, "--cells", *cells, *budget)
        found[one.name].append(json.loads(output.read_text(encoding="utf-8")))

    for repeat in range(options.repeats):
        with _told(f"speed, {repeat + 1} of {options.repeats}"):
            _each(environments, results, once)
    for name, times in found.items():
        if times:
            windows = {cell: [one["windows"][cell] for one in times] for cell in times[0]["windows"]}
            results[name] |= {
                "windows": {cell: statistics.median(values) for cell, values in windows.items()},
                "windows_all": windows,
                "peak_mb": statistics.median(one["peak"] for one in times),
                "first_step_s": statistics.median(one["first_step"] for one in times),
            }


def _skill(environments: dict[str, Environment], shared: Path, results: dict[str, Any], options: Any) -> None:
    """What the forecasts are worth after so many steps, and the CPU-seconds to each target."""
    cells = Cells.load(shared / "cells.npz")

    def once(one: Environment) -> None:
        results[one.name]["skill"] = {}
        for way in WAYS if one.name == OURS else WAYS[:1]:
            output = one.folder / f"skill-{way}.npz"
            more = ("--way", way) if one.name == OURS else ("--budget", options.budget)
            with _told(f"skill of {one.name}, {way}"):
                one.run(one.script, "skill", _source(one, shared), output, "--cells", "lstm", *more)
            results[one.name]["skill"][way] = _judged(cells, output)

    _each(environments, results, once)


def _judged(cells: Cells, path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        steps, seconds = arrays["steps"].tolist(), arrays["seconds"].tolist()
        verdicts = [cells.judge(quantiles) for quantiles in arrays["quantiles"]]
    best = max(verdicts, key=lambda verdict: verdict.skill)
    return {
        "best": best._asdict(),
        "seconds_to": {f"{target:.2f}": seconds_to(target, verdicts, seconds) for target in TARGETS},
        "tried_s": max(seconds),
        "curve": [
            {"steps": one, "seconds": round(time, 3), **verdict._asdict()}
            for one, time, verdict in zip(steps, seconds, verdicts, strict=True)
        ],
    }


def _starts(environments: dict[str, Environment], shared: Path, results: dict[str, Any], options: Any) -> None:
    """CPU-seconds of an import, and of a cold process to a forecast of the next five sessions by a saved model."""
    ours = environments.get(OURS)
    stores = ("--data-dir", shared / "candles", "--runs-dir", BUILD / OURS / "runs")
    if ours is not None:
        shutil.rmtree(BUILD / OURS / "runs", ignore_errors=True)
        with _told("a run for the cold start"):
            _each({OURS: ours}, results, lambda one: _ignore(one.run(one.script, "save", shared, one.folder / "runs")))
    tickers = [path.stem for path in sorted((shared / "candles").glob("*.parquet"))]
    ticker = "AAPL" if "AAPL" in tickers else tickers[0]
    found: dict[str, dict[str, list[float]]] = {
        name: {"import_s": [], "cold_s": [], "cold_wall_s": []} for name in environments
    }

    def once(one: Environment) -> None:
        predict = ("-m", "forecaster", "predict", ticker, *stores)
        found[one.name]["import_s"].append(one.run("-c", IMPORTS[one.name]).cpu)
        ended = one.run(*predict if one.name == OURS else (one.script, "cold", one.folder / "model"))
        found[one.name]["cold_s"].append(ended.cpu)
        found[one.name]["cold_wall_s"].append(ended.wall)

    for repeat in range(options.repeats):
        with _told(f"import and cold start, {repeat + 1} of {options.repeats}"):
            _each(environments, results, once)
    for name, times in found.items():
        results[name] |= {key: statistics.median(values) for key, values in times.items() if values}


def _ignore(_: object) -> None:
    """A callback's result."""


def _sizes(environments: dict[str, Environment], shared: Path, results: dict[str, Any], options: Any) -> None:  # noqa: ARG001
    def once(one: Environment) -> None:
        results[one.name] |= {"install_mb": one.megabytes(), "versions": one.versions()}

    _each(environments, results, once)


def _into_readme(table: str) -> None:
    path = FOLDER / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->")[2]
    path.write_text(f"{before}<!-- table -->\n{table}\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
