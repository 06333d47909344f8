"""A walk forward on one core and on two: `python benchmarks/backtest/run.py STORE [--tickers 50] [--ray]`.

STORE is a folder that `forecast fetch` filled. Forty refits of `gru` (50 steps each) over the last two years, whole
commands, one process and two in turns. Efficiency is the time of one over twice the time of two. With --ray, two
workers of a local Ray take their turn too; their gain is what they save of the time of one, beside what two processes
save.
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
    parser.add_argument("--ray", action="store_true")
    options = parser.parse_args()
    tickers = ", ".join(open_store(options.store).tickers()[: options.tickers])
    ways = [("1", "local"), ("2", "local"), *([("2", "ray")] if options.ray else [])]
    efficiencies, gains = [], []
    for turn in range(options.repeats):
        order = ways if turn % 2 == 0 else ways[::-1]  # none is always the one that finds a warm machine
        took = {way: _seconds(options.store, tickers, *way) for way in order}
        one, two = took["1", "local"], took["2", "local"]
        efficiencies.append(one / (2 * two))
        said = f"one process {one:.0f} s, two {two:.0f} s: efficiency {efficiencies[-1]:.2f}"
        if options.ray:
            gains.append((one - took["2", "ray"]) / (one - two))
            said += f"; two workers of Ray {took['2', 'ray']:.0f} s: {gains[-1]:.2f} of the gain"
        print(said, flush=True)
    print(f"median {statistics.median(efficiencies):.2f}, from {min(efficiencies):.2f} to {max(efficiencies):.2f}")
    if gains:
        print(f"Ray: median {statistics.median(gains):.2f} of the gain, {min(gains):.2f} to {max(gains):.2f}")


def _seconds(store: Path, tickers: str, workers: str, engine: str) -> float:
    settings = (f"data.tickers=[{tickers}]", "training.steps=50", "training.refit=true")
    more = [part for one in settings for part in ("--set", one)]
    more += ["--refit-every", str(EVERY), "--workers", workers, "--engine", engine, "--data-dir", str(store)]
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
