"""Does the verdict stay silent where there is nothing to know, and speak where there is?

`python benchmarks/placebo/run.py [panel.parquet] [--seeds 100] [--jobs 1]`

For each seed the real candles of each ticker are dealt out anew over its own dates: a whole candle relative to the
close before it (gap, body, wicks and volume together) is the unit. Nothing of the days to come can then be known, and
the verdict must be "no-evidence". The same shuffled candles, scaled by a volatility that persists, hold something that
can be known, and the verdict must be "skill". Each is an ordinary `forecast train` on an ordinary store. Without a
table of candles (as `forecast fetch --source file` reads it) the sample that ships is taken, without FB, which is too
short. Ends with 1 where a promise is not kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.sources import SourceOptions
from forecaster.data.store import Store
from forecaster.evaluation.rows import find
from forecaster.evaluation.verdict import GUARD
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train

SAMPLE = ("AAPL", "GOOG", "IBM", "MSFT")
SETTINGS = ("model.hidden_size=16", "training.steps=100", "training.batch=16", "training.device=cpu")
"""On top of `demo`, whose split and features they are: a training of seconds."""

HALF_LIFE, SPREAD = 15.0, 0.75
"""Of the log of the planted volatility: half-life in sessions, and standard deviation."""

KINDS = {"shuffled": "no-evidence", "planted": "skill"}
"""What is made of the candles, and the verdict that is right."""

PROMISED = 0.95


class Outcome(NamedTuple):
    """What a training said: its verdict, and skill and p over the reference and over climatology."""

    seed: int
    kind: str
    code: str
    skill: float
    p: float
    guard_skill: float
    guard_p: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        histories = real_candles(options.panel, Path(folder) / "real")
    work = [(seed, kind) for kind in KINDS for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        outcomes = []
        for outcome in pool.map(partial(measure, histories), *zip(*work, strict=True)):
            outcomes.append(outcome)
            over = f"{outcome.skill:+.2%} (p {outcome.p:.2g})  over {GUARD} {outcome.guard_skill:+.2%}"
            print(
                f"{outcome.seed:>4} {outcome.kind:<9} {outcome.code:<12} {over} (p {outcome.guard_p:.2g})", flush=True
            )
    return report(outcomes)


def real_candles(panel: Path | None, folder: Path) -> list[Bars]:
    """The tickers of a table, or of the sample."""
    if panel is None:
        fetch(SAMPLE, source="sample", data_dir=folder)
    else:
        fetch(source="file", options=SourceOptions(path=panel), data_dir=folder)
    store = Store(folder)
    return [store.read(ticker) for ticker in store.tickers()]


def measure(histories: Sequence[Bars], seed: int, kind: str, settings: Sequence[str] = SETTINGS) -> Outcome:
    """Train on the candles of a seed, and hear the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        for place, bars in enumerate(histories):
            store.write(made(bars, np.random.default_rng([seed, place]), planted=kind == "planted"), source="placebo")
        tickers = f"data.tickers=[{', '.join(bars.ticker for bars in histories)}]"
        settings = (*settings, tickers, f"training.seed={seed}")
        run = train("demo", settings=settings, data_dir=store.root, runs_dir=Path(folder) / "runs")
    card = run.scorecard
    figures = []
    for baseline in (card.reference, GUARD):
        row = find(card.rows, card.rows[0].name, "mean", "all", baseline)
        figures += [row.skill_pinball or 0.0, 1.0 if row.p_value is None else row.p_value]
    return Outcome(seed, kind, card.verdict.code, *figures)


def made(bars: Bars, rng: np.random.Generator, planted: bool) -> Bars:
    """The days of a ticker in another order and, where asked for, louder and quieter for weeks on end."""
    logs = np.log(bars.adjusted())
    units = logs[1:] - logs[:-1, 3:]
    order = rng.permutation(len(units))
    loudness = persistent(len(units), rng) if planted else np.ones(len(units))
    units = units[order] * loudness[:, None]
    ends = logs[0, 3] + np.concatenate([[0.0], np.cumsum(units[:, 3])])
    prices = np.exp(np.concatenate([logs[:1], ends[:-1, None] + units]))
    names = ("open", "high", "low", "close")
    return replace(
        bars,
        **{name: prices[:, place].copy() for place, name in enumerate(names)},
        adj_close=prices[:, 3].copy(),
        volume=np.concatenate([bars.volume[:1], bars.volume[1:][order]]),
        dividend=np.zeros(len(bars)),
        split=np.ones(len(bars)),
    )


def persistent(days: int, rng: np.random.Generator) -> np.ndarray:
    """Factors whose log is an autoregression; their mean square is 1."""
    decay = 0.5 ** (1 / HALF_LIFE)
    shocks = rng.standard_normal(days) * SPREAD * np.sqrt(1 - decay**2)
    logs = np.empty(days)
    logs[0] = rng.standard_normal() * SPREAD
    for day in range(1, days):
        logs[day] = decay * logs[day - 1] + shocks[day]
    factors: np.ndarray = np.exp(logs - SPREAD**2)
    return factors


def report(outcomes: Sequence[Outcome]) -> int:
    """Say how often each verdict was given; 1 where a promise is not kept."""
    print()
    broken = 0
    for kind, right in KINDS.items():
        of_kind = [one for one in outcomes if one.kind == kind]
        counts = Counter(one.code for one in of_kind)
        medians = [np.median([getattr(one, name) for one in of_kind]) for name in ("skill", "guard_skill")]
        said = ", ".join(f"{code} {count}" for code, count in counts.most_common())
        print(
            f"{kind}: {said} of {len(of_kind)}; median skill {medians[0]:+.2%} over the reference, "
            f"{medians[1]:+.2%} over {GUARD}"
        )
        broken |= counts[right] < PROMISED * len(of_kind)
    print("The promises are broken." if broken else "The promises are kept.")
    return broken


if __name__ == "__main__":
    sys.exit(main())
