"""What the benchmarks of joint paths share: a model fitted up to a day, its forecasts after it, and past stretches."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "pretrained"))

from halves import dataset_of, day, fetched, forecaster, learnt, shipped_config

from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset
from forecaster.inference.comovement import DailyCorrelation, Gains, draw_past, shared_moves
from forecaster.inference.coupling import draw_dates
from forecaster.inference.stretches import Stretches
from forecaster.inference.tails import fit_tails
from forecaster.runs.folder import PRETRAINED
from forecaster.runs.run import Run

STEPS = (1, 5, 20)
SHIPPED = "2016-12-31"
"""The shipped model was fitted and selected up to this day: its tested weights are out of sample after it."""

_QUARTER = 63

Ranker = Callable[[np.datetime64], np.ndarray]
"""Origin → rank of each path at each ticker and step of `STEPS`, of the close: [ticker, step, path]."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Forecasts of all tickers on all days of a period, by weights fitted before it.

    Args:
        dataset: all candles, also later ones.
        dates: origins of the period whose outcomes at all steps are known.
        rows: panel row of each date and ticker; −1 where a ticker has no forecast.
        quantiles: of log(price / last close) at all 20 steps; NaN without forecast.
        tails: fitted before the period.
    """

    bars: list[Bars]
    dataset: Dataset
    levels: tuple[float, ...]
    dates: np.ndarray
    rows: np.ndarray
    quantiles: np.ndarray
    tails: np.ndarray

    @property
    def tickers(self) -> tuple[str, ...]:
        """Symbols, in the order of the arrays."""
        return self.dataset.panel.tickers


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """A folder for what is fitted, made if need be; a temporary one if none is given."""
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def judged(panel: Path, folder: Path, fit_end: str, end: str) -> Judged:
    """Fit the shipped recipe up to a day, or take the shipped weights for 2016, and forecast to another day. Cached."""
    store = fetched(panel, folder / "store")
    config = shipped_config()
    bars = [one for name in store.tickers() if len(one := store.read(name).between(end=day(end))) > 400]
    bars = [one for one in bars if (one.dates <= day(fit_end)).sum() > 250]
    dataset, levels = dataset_of(config, bars), config.task.levels
    cache = folder / f"{fit_end}.npz"
    if cache.is_file():
        known = np.load(cache)
        return Judged(bars, dataset, levels, *(known[name] for name in ("dates", "rows", "quantiles", "tails")))
    if fit_end == SHIPPED:
        members = Run.find(folder, PRETRAINED).model.light()
    else:
        members = learnt(config, [one.between(end=day(fit_end)) for one in bars], fit_end).members
    rows = dataset.origins(Period(day(fit_end), day(end)))
    rows = rows[dataset.known(rows, Period(None, day(end)))[:, -1]]
    dates = np.unique(dataset.panel.sessions[rows])
    place = np.searchsorted(dates, dataset.panel.sessions[rows])
    found = np.full((len(dates), len(bars), 20, 4, len(levels)), np.nan, np.float32)
    known_rows = np.full((len(dates), len(bars)), -1)
    ticker = dataset.panel.ticker_of_row[rows]
    found[place, ticker] = forecaster(members, config, dataset)(rows)
    known_rows[place, ticker] = rows
    tails = fit_tails(dataset, Period(None, day(fit_end)), levels)
    assert tails is not None
    np.savez(cache, dates=dates, rows=known_rows, quantiles=found, tails=tails)
    return Judged(bars, dataset, levels, dates, known_rows, found, tails)


def quarters(work: Judged) -> Iterator[tuple[slice, Stretches]]:
    """Origins in blocks of 63 days, each with the stretches that were known on its first day."""
    for start in range(0, len(work.dates), _QUARTER):
        known = [one.between(end=work.dates[start]) for one in work.bars]
        yield slice(start, min(start + _QUARTER, len(work.dates))), Stretches.of(known, STEPS[-1])


def past_dates(stretches: Stretches, count: int, together: DailyCorrelation | None, last: int | None = None) -> Ranker:
    """Paths that follow past dates.

    Args:
        together: newer dates count more, and moves are rescaled to the correlation expected at an origin; None takes
            all dates alike, as they were.
        last: take only so many of the newest dates.
    """
    rng = np.random.default_rng(0)
    chosen = [step - 1 for step in STEPS]
    drawn = draw_past(stretches, count, 0) if together else draw_dates(count, last or len(stretches.dates), 0)
    drawn += len(stretches.dates) - last if last else 0
    values = np.stack(
        [stretches.values(n, (CLOSE,))[drawn][:, chosen, 0].T for n in range(len(stretches.dataset.panel))]
    )
    # Paths of one date are ordered at random, as in the library; here by noise, so that each day takes less long.
    values += np.float32(1e-5) * rng.standard_normal(values.shape, np.float32)
    shared = shared_moves(stretches, (CLOSE,))[drawn][:, chosen, 0].T

    @lru_cache(1)
    def ranked(gains: Gains) -> np.ndarray:
        return np.argsort(np.argsort(gains.rescale(values, shared), axis=-1), axis=-1)

    return lambda origin: ranked(together.gains(origin) if together else Gains())


def actual(work: Judged, step: int) -> np.ndarray:
    """log(close then / close at the origin), [date, ticker]; NaN without forecast."""
    logs = work.dataset.logs[:, CLOSE]
    found = logs[np.minimum(work.rows + step, len(logs) - 1)] - logs[work.rows]
    return np.where(work.rows >= 0, found, np.nan)
