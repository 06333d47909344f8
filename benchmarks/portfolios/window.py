"""Forecasts of 80 tickers with whole histories on some days, and what a form of dependence may know on each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from run import HELD, PORTFOLIOS
from work import STEPS, Judged, actual, day

from forecaster.baselines import FittedBaseline
from forecaster.config.schema import LEVELS
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.comovement import DailyCorrelation
from forecaster.inference.stretches import Stretches
from forecaster.inference.tails import fit_tails, inverse

TICKERS, PATHS = 80, 1_000
GROUPS, SIZE, BALANCED = 15, 10, 100
_FIRST = np.datetime64("2000-06-01")
"""First candle of a whole history, at the latest."""


@dataclass(frozen=True, eq=False)
class Window:
    """What forms are compared on.

    Args:
        stretches: of closes, past and later ones; `known` says how many of them an origin may see.
        origins: dates.
        moves: simple returns of the forecasts at each path's rank, "date ticker step path".
        outcomes: log(price then / close at the origin), "date ticker step".
        every: sessions from one origin to the next.
    """

    stretches: Stretches
    origins: np.ndarray
    moves: np.ndarray
    outcomes: np.ndarray
    every: int

    @classmethod
    def of(cls, work: Judged, every: int = 3) -> Window:
        """Every third day; tickers by chance among those with whole histories and a forecast on every day."""
        old = np.array([one.dates[0] <= _FIRST for one in work.bars]) & (work.rows >= 0).all(axis=0)
        kept = _chosen(np.flatnonzero(old))
        chosen = [step - 1 for step in STEPS]
        quantiles = work.quantiles[::every, kept][:, :, chosen, CLOSE].astype(float)
        moves = np.stack([_moves(one, work.levels, work.tails[chosen, CLOSE]) for one in quantiles])
        outcomes = np.stack([actual(work, step)[::every, kept] for step in STEPS], axis=-1)
        return cls(_stretches([work.bars[n] for n in kept]), work.dates[::every], moves, outcomes, every)

    @classmethod
    def of_har(cls, store: Store, first: int, end: str, every: int = 5) -> Window:
        """Every fifth day from a year on, with HAR's forecasts, fitted at the end of each year."""
        bars = [one for name in store.tickers() if len(one := store.read(name).between(end=day(end))) > 400]
        bars = [one for one in bars if one.dates[0] < _FIRST]
        bars = [bars[number] for number in _chosen(np.arange(len(bars)))]
        panel = Panel.of(bars)
        dataset = Dataset(panel, compute_features(panel, ("base",)), STEPS)
        origins, moves, outcomes = [], [], []
        for rows, period in _years(dataset, first, end, every):
            har = FittedBaseline.learnt("har", dataset, period, LEVELS).bind(dataset)
            tails = fit_tails(dataset, period, LEVELS)
            assert tails is not None
            for one in rows:
                origins.append(panel.sessions[one[0]])
                moves.append(_moves(har(one)[:, :, CLOSE].astype(float), LEVELS, tails[:, CLOSE]))
                outcomes.append(dataset.moves(one)[:, :, CLOSE])
        return cls(_stretches(bars), np.array(origins), np.stack(moves), np.stack(outcomes), every)

    @cached_property
    def past(self) -> np.ndarray:
        """Standardised closes after each date, "date ticker step"."""
        chosen = [step - 1 for step in STEPS]
        tickers = range(self.moves.shape[1])
        return np.stack([self.stretches.values(n, (CLOSE,))[:, chosen, 0] for n in tickers], axis=1)

    @cached_property
    def daily(self) -> DailyCorrelation:
        """Of all days."""
        return DailyCorrelation.of(self.stretches)

    def known(self, origin: np.datetime64) -> int:
        """How many stretches had ended by a day."""
        return max(int(np.searchsorted(self.stretches.dates, origin, "right")) - STEPS[-1], 0)

    def correlation(self, origin: np.datetime64, half_life: float = np.inf) -> float:
        """Average correlation of a day's moves, by a running mean over the days known then."""
        count = int(np.searchsorted(self.daily.known, origin, "right"))
        weights = 0.5 ** (np.arange(count)[::-1] / half_life)
        return float(weights @ self.daily.product[:count] / (weights @ self.daily.square[:count]))

    def portfolios(self) -> np.ndarray:
        """Weights "portfolio ticker", all positive."""
        rng, found = np.random.default_rng(0), np.zeros((PORTFOLIOS, self.moves.shape[1]), np.float32)
        for one in found:
            one[rng.choice(len(one), HELD, replace=False)] = rng.dirichlet(np.ones(HELD))
        return found

    def groups(self) -> tuple[np.ndarray, np.ndarray]:
        """Groups of ten tickers, and weights "portfolio ticker" with ten long and ten short, of sum 0."""
        rng, tickers = np.random.default_rng(5), self.moves.shape[1]
        found = np.stack([rng.choice(tickers, SIZE, replace=False) for _ in range(GROUPS)])
        weights = np.zeros((BALANCED, tickers), np.float32)
        for one in weights:
            chosen = rng.choice(tickers, 2 * SIZE, replace=False)
            one[chosen[:SIZE]] = rng.dirichlet(np.ones(SIZE))
            one[chosen[SIZE:]] = -rng.dirichlet(np.ones(SIZE))
        return found, weights

    def paths(self, date: int, ranked_by: np.ndarray) -> Iterator[np.ndarray]:
        """For each step the moves "ticker path", whose ranks are those of what a form drew, "path ticker step"."""
        for number in range(len(STEPS)):
            order = np.argsort(ranked_by[:, :, number].T, axis=-1)
            found = np.empty_like(self.moves[date, :, number])
            np.put_along_axis(found, order, self.moves[date, :, number], axis=-1)
            yield found


def _chosen(usable: np.ndarray) -> np.ndarray:
    return np.sort(np.random.default_rng(1).choice(usable, min(TICKERS, len(usable)), replace=False))


def _stretches(bars: list[Bars]) -> Stretches:
    return Stretches.in_panel(Panel.of(bars), STEPS[-1])


def _moves(quantiles: np.ndarray, levels: tuple[float, ...], tails: np.ndarray) -> np.ndarray:
    """Simple returns at each path's rank, from quantiles "ticker step quantile" of log moves."""
    shares = (np.arange(PATHS) + 0.5) / PATHS
    every = np.broadcast_to(tails, (*quantiles.shape[:2], 2, 2))
    return np.asarray(np.expm1(inverse(quantiles, levels, every, shares)), np.float32)


def _years(dataset: Dataset, first: int, end: str, every: int) -> Iterator[tuple[list[np.ndarray], Period]]:
    """Rows of all tickers on some days of each year, and what was known before the year."""
    panel, last = dataset.panel, day(end)
    rows = dataset.origins(Period(day(f"{first - 1}-12-31"), last))
    rows = rows[dataset.known(rows, Period(None, last))[:, -1]]
    dates = panel.sessions[rows]
    some = np.unique(dates)[::every]
    for year in range(first, int(end[:4]) + 1):
        own = [rows[dates == one] for one in some[some.astype("datetime64[Y]") == np.datetime64(str(year))]]
        yield [one for one in own if len(one) == len(panel)], Period(None, day(f"{year - 1}-12-31"))
