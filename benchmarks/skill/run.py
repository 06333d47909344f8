"""Skill and time on any long table of candles: `python benchmarks/skill/run.py panel.parquet [--seeds 3]`.

The table has the columns that `forecast fetch --source file` reads (ticker, date, open, high, low, close, adj_close,
volume). It is fetched into a temporary store; each config is trained as it ships, with the test period of its split,
and the baselines are fitted on the same years, scored on the same origins and calibrated alike. Prints one table.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forecaster.data.sources import SourceOptions
from forecaster.evaluation.scorecard import Scorecard
from forecaster.workflows.fetch import fetch
from forecaster.workflows.panel import load_panel
from forecaster.workflows.train import train

CONFIGS = ("rnn", "lstm", "gru", "best")
BASELINES = ("ewma-random-walk", "last-close", "constant", "ewma-garman-klass", "har", "harx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--configs", nargs="+", default=CONFIGS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, runs = Path(folder) / "store", Path(folder) / "runs"
        source = SourceOptions(path=options.panel)
        fetched, brought = _timed(lambda: fetch(source="file", options=source, data_dir=store))
        read, panel = _timed(lambda: load_panel(data_dir=store))
        print(
            f"{len(brought)} tickers, {len(panel.sessions):,} candles: fetched in {fetched:.1f} s, read in {read:.2f} s"
        )
        print(
            f"\n{'skill of pinball over the first baseline':<28} {'step 1':>8} {'all':>8} {'last':>8} {'t':>7} {'s':>6}"
        )
        for config in options.configs:
            _measure(config, range(options.seeds), store, runs)


def _measure(config: str, seeds: range, store: Path, runs: Path) -> None:
    baselines = BASELINES if config == "best" else BASELINES[:2]
    cards, seconds = [], []
    for seed in seeds:
        settings = [f"training.seed={10 * seed}", f"evaluation.baselines=[{', '.join(baselines)}]"]
        took, run = _timed(lambda given=settings: train(config, settings=given, data_dir=store, runs_dir=runs))
        cards.append(run.scorecard)
        seconds.append(took)
    names = list(dict.fromkeys(row.name for row in cards[0].rows if row.name != cards[0].reference))
    for name in names if config == "best" else names[:1]:
        label = f"{config}: {name}"
        spread = [_figures(card, name) for card in cards]
        middle = [statistics.median(column) for column in zip(*spread, strict=True)]
        shown = "".join(f" {100 * value:+7.2f}%" for value in middle[:3])
        took = f"{statistics.median(seconds):6.0f}" if name == names[0] else ""
        print(f"{label:<40}{shown} {middle[3]:7.1f} {took}", flush=True)


def _figures(card: Scorecard, name: str) -> tuple[float, float, float, float]:
    rows = {row.step: row for row in card.rows if row.name == name and row.variable == "mean"}
    first, overall, last = rows[card.horizon[0]], rows["all"], rows[card.horizon[-1]]
    skills = (first.skill_pinball or 0.0, overall.skill_pinball or 0.0, last.skill_pinball or 0.0)
    return (*skills, first.dm_statistic or 0.0)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
