"""How long a large journal takes to score: `python benchmarks/journal/run.py [--forecasts 1000000] [--repeats 3]`.

Twenty runs forecast three tickers of the sample on thousands of days, six steps each. Quantiles are made up, candles
are not. Each command is a process of its own: seconds, processor, and the most memory it held (peak RSS).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speed"))

from processes import cost

from forecaster.data.store import Store, open_store
from forecaster.evaluation.entries import Entry
from forecaster.evaluation.journal import JOURNAL, append
from forecaster.workflows.fetch import fetch

RUNS, TICKERS, STEPS = 20, ("AAPL", "IBM", "MSFT"), 6
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
SPREAD = 0.01 * np.array([-1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6])
"""Quantiles of a move of one session, times the root of the step."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forecasts", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, runs = Path(folder) / "store", Path(folder) / "runs"
        runs.mkdir()
        fetch([], source="sample", data_dir=store)
        written = _write(runs / JOURNAL, open_store(store), options.forecasts)
        print(f"{written:,} forecasts, {(runs / JOURNAL).stat().st_size / 1e6:,.0f} MB")
        print("| command | s | CPU s | peak RSS, MB |\n|---|---|---|---|")
        for name, options_of in (("score", ("--data-dir", str(store))), ("score --verify", ())):
            command = (*name.split(), *options_of, "--runs-dir", str(runs))
            found = [cost(*command) for _ in range(options.repeats)]
            wall, cpu, peak = (statistics.median(one) for one in zip(*found, strict=True))
            print(f"| `{name}` | {wall:.1f} | {cpu:.1f} | {peak:,.0f} |")


def _write(path: Path, store: Store, forecasts: int) -> int:
    rng = np.random.default_rng(0)
    written = 0
    for run in range(RUNS):
        entries = [one for ticker in TICKERS for one in _entries(run, ticker, store, forecasts, rng)]
        append(path, entries)
        written += len(entries)
    return written


def _entries(run: int, ticker: str, store: Store, forecasts: int, rng: np.random.Generator) -> Iterator[Entry]:
    """Forecasts of a ticker's last days, as many of them as it takes."""
    days = -(-forecasts // (RUNS * len(TICKERS) * STEPS))
    dates = store.read(ticker).dates.astype(str)[-days - STEPS - 1 :]
    for origin in range(1, len(dates) - STEPS):
        made = f"{dates[origin]}T22:00:00+00:00"
        for step in range(1, STEPS + 1):
            quantiles = np.tile(SPREAD, (4, 1)) * step**0.5 * rng.uniform(0.5, 1.5)
            head = (f"run{run}", "0123456789abcdef-evaluated", ticker, dates[origin], step, False)
            yield Entry(*head, dates[origin + step], made, dates[0], LEVELS, quantiles)


if __name__ == "__main__":
    main()
