"""Does the verdict stay silent where there is nothing to know, and speak where there is?

`python benchmarks/placebo/run.py [panel.parquet] [--seeds 100] [--jobs 1] [--kinds untrained shuffled …]`

Each is an ordinary `forecast train` on an ordinary store of its own, so that each begins with an empty ledger:

- untrained: real candles, and a network of each registered kind and head in turn, with one step at a rate of 1e-9;
- shuffled: the real candles of each ticker in another order over its own dates. A whole candle relative to the close
  before it (gap, body, wicks and volume together) is the unit;
- heavy: the same, each day's size drawn anew from a Student t with 2.5 degrees of freedom;
- shift: shuffled, and from one random day after the years of training on twice as large;
- early-shift: the same, but the day lies in the years of training. No promise: a network can learn there that levels
  last, and average over a longer past than any simple formula;
- planted: shuffled, scaled by a volatility that persists and that also depends on the weekday. The simple formulas see
  the first, and networks that know the weekday both: here there is skill to find.

The verdict must be "skill" for planted, and for none of the others. Without a table of candles (as `forecast fetch
--source file` reads it) the sample that ships is taken, without FB, which is too short. Ends with 1 where a promise is
not kept.
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

from forecaster.baselines import BASELINES
from forecaster.data.bars import Bars
from forecaster.data.sources import SourceOptions
from forecaster.data.store import Store
from forecaster.models import MODELS
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train

SAMPLE = ("AAPL", "GOOG", "IBM", "MSFT")
SETTINGS = (
    "model.hidden_size=16",
    "training.steps=120",
    "training.warmup=20",
    "training.batch=16",
    "training.device=cpu",
    "calibration.rolling=false",
)
"""On top of `gru`, whose split and features they are: a training of seconds. All sides are calibrated alike, or not."""

HALF_LIFE, SPREAD = 15.0, 0.5
"""Of the log of the planted volatility: half-life in sessions, and standard deviation."""

WEEK = (-0.8, -0.4, 0.0, 0.4, 0.8)
"""What Monday to Friday add to that log."""

FREEDOM = 2.5
"""Degrees of freedom of the heavy-tailed days."""

KINDS = ("untrained", "shuffled", "heavy", "shift", "early-shift", "planted")

UNSEEN = np.timedelta64(4 * 365, "D")
"""Before the last candle: the years of validation and test."""

PROMISED = 0.95


class Outcome(NamedTuple):
    """What a training said: its verdict, and margin and p over the hardest formula."""

    seed: int
    kind: str
    code: str
    hardest: str
    margin: float
    p: float | None

    @property
    def right(self) -> bool:
        """Whether skill was claimed where there is some, and only there; always where nothing is promised."""
        return self.kind == "early-shift" or (self.code == "skill") == (self.kind == "planted")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        histories = real_candles(options.panel, Path(folder) / "real")
    work = [(seed, kind) for kind in options.kinds for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        outcomes = []
        for outcome in pool.map(partial(measure, histories), *zip(*work, strict=True)):
            outcomes.append(outcome)
            p_value = "" if outcome.p is None else f" (p {outcome.p:.2g})"
            over = f"{outcome.margin:+.2%} over {outcome.hardest}{p_value}"
            print(f"{outcome.seed:>4} {outcome.kind:<11} {outcome.code:<12} {over}", flush=True)
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
            store.write(made(bars, np.random.default_rng([seed, place]), kind), source="placebo")
        tickers = f"data.tickers=[{', '.join(bars.ticker for bars in histories)}]"
        settings = (*settings, *(untrained(seed) if kind == "untrained" else ()), tickers, f"training.seed={seed}")
        verdict = train("gru", settings=settings, data_dir=store.root, runs_dir=Path(folder) / "runs").verdict
    hardest = verdict.hardest
    assert hardest
    return Outcome(seed, kind, verdict.code, hardest.baseline, hardest.skill_pinball or 0.0, hardest.p_value)


def untrained(seed: int) -> tuple[str, ...]:
    """A kind of network and a head for each seed in turn, that learns nothing."""
    kinds = [name for name in MODELS.names() if name not in BASELINES]
    heads = ("scale", "quantile", "point")
    kind, head = kinds[seed % len(kinds)], heads[seed // len(kinds) % len(heads)]
    return (f"model={{name: {kind}}}", f"task.head={head}", "training.steps=1", "training.learning_rate=1e-9")


def made(bars: Bars, rng: np.random.Generator, kind: str) -> Bars:
    """The days of a ticker in another order, and in other sizes where the kind asks for them."""
    if kind == "untrained":
        return bars
    logs = np.log(bars.adjusted())
    units = logs[1:] - logs[:-1, 3:]
    order = rng.permutation(len(units))
    units = units[order] * sizes(units[order], bars.dates[1:], rng, kind)[:, None]
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


def sizes(units: np.ndarray, dates: np.ndarray, rng: np.random.Generator, kind: str) -> np.ndarray:
    """A factor for each day."""
    if kind == "planted":
        weekday = (dates.astype("datetime64[D]").astype(int) + 3) % 7  # 1970-01-01 was a Thursday
        week = np.exp(np.asarray(WEEK)[np.minimum(weekday, 4)])
        return persistent(len(units), rng) * week / np.sqrt((week**2).mean())
    if kind in ("shift", "early-shift"):
        border = int(np.searchsorted(dates, dates[-1] - UNSEEN))
        shift = rng.integers(border, len(units)) if kind == "shift" else rng.integers(border)
        return np.where(np.arange(len(units)) < shift, 1.0, 2.0)
    if kind == "heavy":
        own = np.maximum(units[:, 1] - units[:, 2], 1e-4)  # high over low
        return np.minimum(np.abs(rng.standard_t(FREEDOM, len(units))) * np.median(own) / own, 50.0)
    return np.ones(len(units))


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
    print("\n| candles | trainings | skill | no-evidence | worse | median margin over the hardest formula |")
    print("|---|---|---|---|---|---|")
    broken = 0
    for kind in dict.fromkeys(one.kind for one in outcomes):
        of_kind = [one for one in outcomes if one.kind == kind]
        counts = Counter(one.code for one in of_kind)
        codes = " | ".join(str(counts[code]) for code in ("skill", "no-evidence", "worse"))
        print(f"| {kind} | {len(of_kind)} | {codes} | {np.median([one.margin for one in of_kind]):+.2%} |")
        broken |= sum(one.right for one in of_kind) < PROMISED * len(of_kind)
    print("\nThe promises are broken." if broken else "\nThe promises are kept.")
    return broken


if __name__ == "__main__":
    sys.exit(main())
