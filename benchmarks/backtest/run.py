"""A walk forward on one core and on two: `python benchmarks/backtest/run.py STORE [--tickers 50] [--repeats 1]`.

STORE is a folder that `forecast fetch` filled. Forty refits of `gru` (50 steps each) over the last two years, whole
commands, one process and two in turns. Efficiency is the time of one over twice the time of two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forecaster.data.store import open_store

EVERY = 13
"""Sessions from refit to refit: 501 sessions make 39 folds of it, or 40 where the years have more."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--tickers", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    tickers = ", ".join(open_store(options.store).tickers()[: options.tickers])
    times = []
    for turn in range(options.repeats):
        order = (1, 2) if turn % 2 == 0 else (2, 1)  # neither is always the one that finds a warm machine
        took = {workers: _seconds(options.store, tickers, workers) for workers in order}
        one, two = took[1], took[2]
        times.append((one, two))
        print(f"one process {one:.0f} s, two {two:.0f} s: efficiency {one / (2 * two):.2f}", flush=True)
    efficiency = [one / (2 * two) for one, two in times]
    print(f"median {statistics.median(efficiency):.2f}, from {min(efficiency):.2f} to {max(efficiency):.2f}")


def _seconds(store: Path, tickers: str, workers: int) -> float:
    settings = (f"data.tickers=[{tickers}]", "training.steps=50", "training.refit=true")
    more = [part for one in settings for part in ("--set", one)]
    more += ["--refit-every", str(EVERY), "--workers", str(workers), "--data-dir", str(store)]
    with tempfile.TemporaryDirectory() as runs:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "forecaster", "backtest", "gru", *more, "--runs-dir", runs, "--quiet"],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
