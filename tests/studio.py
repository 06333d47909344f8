"""Candles, configs and command lines that the tests of features, networks, workflows and commands share."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.calendars import sessions
from forecaster.data.panel import Panel
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset

REPOSITORY = Path(__file__).resolve().parent.parent

PLAIN = ("base", "vol")

HALTED, RESUMED, MISSED = (np.datetime64(day) for day in ("2010-07-01", "2011-01-03", "2011-03-15"))
"""Of `with_holes`: first day without a session, first day with one again; a day on which one ticker has none."""

CUTS = tuple(np.datetime64(day) for day in ("2010-06-15", "2010-12-01", "2011-01-04", "2011-03-15", "2011-09-01"))
"""Days of `with_holes` after which all is changed: before the halt, in it, just after it, at the hole, at none."""

QUICK = (
    "data.tickers=[AAPL, IBM, MSFT]",
    "data.split={train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}",
    "model.hidden_size=8",
    "training.batch=16",
    "training.device=cpu",
    "task.horizon=3",
)
"""Settings that make a training of a shipped config on the sample take a second."""


class Answer(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str


def bars(
    ticker: str = "AAA", rows: int = 200, seed: int = 0, start: str = "2010-01-04", volatility: np.ndarray | None = None
) -> Bars:
    """Random candles on weekdays, with gaps, wicks, dividends' adjustment and days of no volume.

    Args:
        volatility: daily, one a row; 1.5 % without it.
    """
    rng = np.random.default_rng(seed)
    spread = np.full(rows, 0.015) if volatility is None else volatility
    noise = rng.standard_normal((rows, 10))
    gap, path = 0.4 * spread * noise[:, 0], spread[:, None] * noise[:, 1:].cumsum(axis=1) / 3
    path -= path[:, :1]
    ends = np.cumsum(gap + path[:, -1])
    opens = np.concatenate([[0.0], ends[:-1]]) + gap
    within = 100 * np.exp(opens[:, None] + path)
    dates = np.busday_offset(np.datetime64(start), np.arange(rows), roll="forward").astype("datetime64[D]")
    close = within[:, -1]
    return Bars(
        ticker=ticker,
        currency="USD",
        calendar="XNYS",
        timezone="America/New_York",
        dates=dates,
        open=within[:, 0].copy(),
        high=within.max(axis=1),
        low=within.min(axis=1),
        close=close.copy(),
        adj_close=close * np.linspace(0.8, 1.0, rows),
        volume=np.where(rng.random(rows) < 0.01, 0.0, np.round(np.exp(13 + 0.4 * rng.standard_normal(rows)))),
        dividend=np.zeros(rows),
        split=np.ones(rows),
    )


def panel(*lengths: int, seed: int = 0) -> Panel:
    """Tickers T0, T1, … of these lengths; each starts some weeks after the one before."""
    starts = [str(np.datetime64("2010-01-04") + 21 * place) for place in range(len(lengths))]
    return Panel.of([bars(f"T{n}", rows, seed + n, starts[n]) for n, rows in enumerate(lengths)])


def on_days(one: Bars, days: np.ndarray) -> Bars:
    """The first candles of a ticker, on other days."""
    kept = {name: getattr(one, name)[: len(days)] for name in COLUMNS}
    return replace(one, dates=days, **kept)


def with_holes() -> Panel:
    """Four tickers, one whole, one halted from July to December 2010, one that missed a session, one of Tokyo.

    A panel in which the ticker's own sessions are not the panel's dates: what counts rows where it should count dates,
    or reads a row that is the next one only where no ticker has holes, is seen.
    """
    days = sessions("XNYS", np.datetime64("2010-01-04"), np.datetime64("2011-12-30"))
    halted = (days < HALTED) | (days >= RESUMED)
    tokyo = sessions("XTKS", np.datetime64("2010-01-04"), np.datetime64("2011-12-30"))
    return Panel.of(
        [
            on_days(bars("WHOLE", len(days), 1), days),
            on_days(bars("HALTED", len(days), 2), days[halted]),
            on_days(bars("MISSED", len(days), 3), days[days != MISSED]),
            replace(on_days(bars("TOKYO", len(tokyo), 4), tokyo), calendar="XTKS"),
        ]
    )


def futures(of: Panel, day: np.datetime64) -> dict[str, Panel]:
    """The panel with other candles after a day, its covariates' too, and with none."""
    later = of.sessions > day
    factor = np.exp(np.random.default_rng(1).normal(0.5, 1.0, (len(later), 1)))
    changed = replace(
        of,
        prices=np.where(later[:, None], of.prices * factor, of.prices),
        volume=np.where(later, 7.0, of.volume),
        covariates=tuple(_another_future(one, day) for one in of.covariates),
    )
    return {"changed": changed, "deleted": of.until(day)}


def _another_future(one: Bars, day: np.datetime64) -> Bars:
    noise = np.exp(np.random.default_rng(2).normal(0.5, 1.0, len(one)))
    prices = ("open", "high", "low", "close", "adj_close")
    return replace(one, **{name: getattr(one, name) * np.where(one.dates > day, noise, 1.0) for name in prices})


def dataset(of: Panel, steps: tuple[int, ...] = (1, 2, 5), features: Sequence[str] = PLAIN) -> Dataset:
    """Candles with features and steps."""
    return Dataset(of, compute_features(of, features), steps)


def persistent_volatility(rows: int, seed: int) -> np.ndarray:
    """Daily volatility whose log is an autoregression with a half-life of about three weeks."""
    shocks = np.random.default_rng(seed).standard_normal(rows) * 0.22
    logs = np.zeros(rows)
    for day in range(1, rows):
        logs[day] = 0.955 * logs[day - 1] + shocks[day]
    return 0.015 * np.exp(logs)


@contextmanager
def handles(free: int) -> Iterator[None]:
    """Inside, this process may open so many more files at a time."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def environment() -> dict[str, str]:
    """Of a process that runs the package of this repository, whatever else is installed."""
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "100", "OMP_NUM_THREADS": "1"}


def command(*arguments: str) -> list[str]:
    """The `forecast` command of this repository."""
    return [sys.executable, "-m", "forecaster", *arguments]


def forecast(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a real `forecast` to its end."""
    return subprocess.run(command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


def hear_interrupts() -> None:
    """For `preexec_fn`: a process hears Ctrl-C even where the tests run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def eventually(holds: Callable[[], bool], seconds: float = 240.0) -> bool:
    """Whether something comes to hold, however slow the machine is."""
    deadline = time.monotonic() + seconds
    while not (there := holds()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return there


def settings(*more: str) -> list[str]:
    """`QUICK` and more as command-line options."""
    return [part for setting in (*QUICK, *more) for part in ("--set", setting)]


def assert_coherent(candles: np.ndarray) -> None:
    """[…, 4, quantile] in the order open, high, low, close: enclosed at each level, and no crossing."""
    opens, highs, lows, closes = np.moveaxis(candles, -2, 0)
    assert np.all(np.isfinite(candles))
    assert np.all(lows <= np.minimum(opens, closes))
    assert np.all(highs >= np.maximum(opens, closes))
    assert np.all(np.diff(candles, axis=-1) >= 0)
