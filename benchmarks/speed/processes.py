"""Whole processes: how long a user waits, and how much memory it takes."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from figures import Figure

from forecaster.data.store import Store

CACHES = ("market", "calibration")
"""Of a run: what a forecast wrote down for the next one."""

MANY = 500

HELD, PATHS, DAYS = 50, 10_000, 20
"""Of a portfolio: holdings, joint paths and sessions ahead."""

LIBRARIES = "import typer._adapters, numpy, pyarrow.parquet, pydantic.types, rich.console, rich.table"
"""What a forecast cannot do without: how fast the machine is at the moment shows in it."""


class Cost(NamedTuple):
    """Of one process: seconds that passed, seconds of processor, peak memory in MB (10⁶ bytes)."""

    wall: float
    cpu: float
    peak: float


def cost(*arguments: str) -> Cost:
    """Run `forecast` with some arguments.

    Raises:
        CalledProcessError: it failed.
    """
    return _cost([str(Path(sys.executable).with_name("forecast")), *arguments])


def _cost(command: Sequence[str]) -> Cost:
    own = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"):  # as a user has it
        own.pop(name, None)
    begun = time.perf_counter()
    child = subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if child.returncode or os.waitstatus_to_exitcode(status) not in (0, 3):
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def start_figures(store: Path, runs: Path, repeats: int) -> Iterator[Figure]:
    """Help, and forecasts of runs called `gru` and `best`."""
    places = ("--data-dir", str(store), "--runs-dir", str(runs))
    ticker = Store(store).tickers()[0]
    libraries = [_cost((sys.executable, "-c", LIBRARIES)) for _ in range(repeats)]
    yield Figure("importing the libraries of `predict`, no more", tuple(one.wall for one in libraries), " s")
    yield from _waits("forecast --help", ("--help",), 0.2, repeats)
    usual = statistics.median(one.wall for one in libraries)
    for run in ("gru", "best"):
        arguments = ("predict", ticker, "--run", run, *places)
        cost(*arguments)  # writes down what the next ones read
        name, found = f"predict one ticker, {run}, warm", [cost(*arguments) for _ in range(repeats)]
        yield from _two(name, found, 0.5)
        yield Figure(f"{name}: over those imports", tuple(one.wall / usual for one in found), " ×")
    cold = []
    for _ in range(max(repeats // 3, 1)):
        for cache in CACHES:
            shutil.rmtree(runs / "best" / cache, ignore_errors=True)
        cold.append(cost("predict", ticker, "--run", "best", *places))
    yield from _two("predict one ticker, best, cold", cold, 3.0)
    with tempfile.TemporaryDirectory() as folder:
        many = _multiplied(Store(store), Path(folder) / "store", MANY)
        for run in ("gru", "best"):
            arguments = ("predict", *many, "--run", run, "--data-dir", f"{folder}/store", "--runs-dir", str(runs))
            cost(*arguments)
            found = [cost(*arguments) for _ in range(max(repeats // 3, 1))]
            yield from _two(f"predict {MANY} tickers, {run}, warm", found, 3.0)


def risk_figures(store: Path, runs: Path, repeats: int) -> Iterator[Figure]:
    """Risk of a portfolio by the network that ships, and what memory it takes."""
    with tempfile.TemporaryDirectory() as folder:
        held = [f"{name}=100" for name in _multiplied(Store(store), Path(folder) / "store", HELD)]
        places = ("--data-dir", f"{folder}/store", "--runs-dir", str(runs), "--offline")
        arguments = ("risk", *held, "--run", "pretrained", "--days", str(DAYS), "--paths", str(PATHS), *places)
        cost(*arguments)  # writes down what the next ones read
        found = [cost(*arguments) for _ in range(repeats)]
    name = f"risk of {HELD} holdings, {PATHS:,} paths, {DAYS} days, warm"
    yield from _two(name, found, 2.0)
    yield Figure(f"{name}: peak memory", tuple(one.peak for one in found), " MB", 500)


def _waits(name: str, arguments: Sequence[str], aim: float, repeats: int) -> Iterator[Figure]:
    yield from _two(name, [cost(*arguments) for _ in range(repeats)], aim)


def _two(name: str, costs: Sequence[Cost], aim: float) -> Iterator[Figure]:
    yield Figure(name, tuple(one.wall for one in costs), " s", aim)
    yield Figure(f"{name}: processor", tuple(one.cpu for one in costs), " s")


def _multiplied(store: Store, folder: Path, count: int) -> list[str]:
    """A store with so many tickers: those that are there, and the same candles under other names."""
    held = store.tickers()
    copies = Store(folder)
    names = []
    for number in range(count):
        ticker, again = held[number % len(held)], number // len(held)
        names.append(ticker if not again else f"{ticker}.{again}")
        copies.write(replace(store.read(ticker), ticker=names[-1]), source="benchmark")
    return names
