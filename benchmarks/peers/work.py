"""The work that all do, and how it is measured: the one module that every environment imports, with numpy alone."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

CONTEXT, HORIZON, HIDDEN, BATCH, LAYERS = 60, 5, 64, 256, 1
LEARNING_RATE = 2e-3
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
CELLS = ("lstm", "gru", "rnn")

WARM = 5
"""Optimiser steps before the clock of the speed starts."""

LEAST = CONTEXT + 2 * HORIZON
"""Rows of a ticker from which a window of either form can be learnt."""

SNAPSHOTS = (50, 100, 200, 400, 800, 1600, 3200)
"""Optimiser steps after which the forecast is judged."""

FORMS = ("prices", "moves", "returns")
"""What a library is given, in units of its ticker's spread: log prices; their moves over `HORIZON` sessions, of which
the fifth forecast is the answer; or their moves over one, whose forecast paths are summed."""

SCALINGS = ("ticker", "window")
"""Whether the library's own normaliser of each window acts on top."""


@dataclass(frozen=True, eq=False)
class Work:
    """Closes of all tickers, where training ends, and what is to be forecast.

    Args:
        tickers: N symbols.
        offsets: rows `offsets[n]:offsets[n + 1]` belong to ticker n.
        dates: datetime64[D] of each row, ascending in a ticker.
        closes: adjusted for splits and dividends.
        learnt: for each ticker how many of its rows, the first ones, training may read.
        origins: rows to forecast from, ascending; each has `CONTEXT` + `HORIZON` rows of its ticker up to it.
    """

    tickers: np.ndarray
    offsets: np.ndarray
    dates: np.ndarray
    closes: np.ndarray
    learnt: np.ndarray
    origins: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Work:
        with np.load(path) as arrays:
            return cls(*(arrays[field.name] for field in fields(cls)))

    def save(self, path: Path) -> None:
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    def series(self, form: str) -> np.ndarray:
        """One value a row in a form, in units of its ticker's spread in training; NaN where there is none yet."""
        logs, values = np.log(self.closes), np.full(len(self.closes), np.nan)
        for rows, units in zip(self.rows, self.units(form), strict=True):
            values[rows][_lag(form) :] = _formed(logs[rows], form) / units
        return values

    def units(self, form: str) -> np.ndarray:
        """Standard deviation of a form in each ticker's training rows; the others' median where those are few."""
        spreads = np.full(len(self.tickers), np.nan)
        for place, (rows, learnt) in enumerate(zip(self.rows, self.learnt, strict=True)):
            if learnt >= LEAST:
                spreads[place] = _formed(np.log(self.closes[rows][:learnt]), form).std()
        return np.where(np.isnan(spreads), np.nanmedian(spreads), spreads)

    @property
    def rows(self) -> list[slice]:
        """Where each ticker's rows are."""
        return [slice(*pair) for pair in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)]

    @property
    def ticker_of_origin(self) -> np.ndarray:
        return np.searchsorted(self.offsets, self.origins, "right") - 1

    def training(self, form: str) -> list[np.ndarray]:
        """Values that training may read, of each ticker that has enough of them."""
        values, pairs = self.series(form), zip(self.rows, self.learnt.tolist(), strict=True)
        return [values[rows][_lag(form) : learnt].astype(np.float32) for rows, learnt in pairs if learnt >= LEAST]

    def windows(self, form: str) -> np.ndarray:
        """[origin, CONTEXT] values up to each origin."""
        return self.series(form)[self.origins[:, None] + np.arange(1 - CONTEXT, 1)].astype(np.float32)

    def moves(self, forecasts: np.ndarray, form: str) -> np.ndarray:
        """Forecasts [origin, level] of what a form tells of the fifth session → log(price / last close), ascending."""
        units = self.units(form)[self.ticker_of_origin][:, None]
        found = forecasts.astype(np.float64) - (self.series(form)[self.origins][:, None] if form == "prices" else 0.0)
        return np.sort(found * units, axis=1)


def _lag(form: str) -> int:
    """Rows over which a value of a form is a move."""
    return {"prices": 0, "moves": HORIZON, "returns": 1}[form]


def _formed(logs: np.ndarray, form: str) -> np.ndarray:
    lag = _lag(form)
    return logs[lag:] - logs[:-lag] if lag else logs - logs[0]


class Meter:
    """Counts optimiser steps and the seconds of processor time that they took, forecasting left out.

    Args:
        budget: seconds after which training should end, but not before some steps were timed.
        most: steps after which it should.
    """

    def __init__(self, budget: float, most: int = SNAPSHOTS[-1]) -> None:
        self.budget, self.most = budget, most
        self.steps = 0
        self.marks = [time.process_time()]

    def restart(self) -> None:
        """Training begins now."""
        self.steps, self.marks = 0, [time.process_time()]

    def step(self) -> bool:
        """Call after each optimiser step: whether training should end."""
        self.steps += 1
        self.marks.append(time.process_time())
        return self.steps >= self.most or (self.seconds >= self.budget and self.steps >= 2 * WARM)

    @property
    def seconds(self) -> float:
        return self.marks[-1] - self.marks[0]

    @property
    def windows_per_second(self) -> float:
        """Of processor time, after the first `WARM` steps."""
        return BATCH * (self.steps - WARM) / (self.marks[-1] - self.marks[WARM])


def long_table(series: Sequence[np.ndarray], names: tuple[str, str, str]) -> Any:
    """A DataFrame with a row for each value, under a library's names of the series, the time and the value."""
    import pandas as pd

    columns = (
        np.repeat(np.arange(len(series)), [len(one) for one in series]),
        np.concatenate([np.arange(len(one)) for one in series]),
        np.concatenate(list(series)),
    )
    return pd.DataFrame(dict(zip(names, columns, strict=True)))


def peak_megabytes() -> float:
    """Most memory that this process ever held (a parent's does not count, as it does in `getrusage`)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def tell(path: Path, **figures: object) -> None:
    """Leave what was measured as JSON."""
    path.write_text(json.dumps(figures), encoding="utf-8")
