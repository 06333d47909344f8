"""Forecasts of 80 tickers with whole histories on every third day, and what a form of dependence may know on each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from run import HELD, PORTFOLIOS
from work import STEPS, Judged, actual

from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.inference.comovement import DailyCorrelation
from forecaster.inference.stretches import Stretches
from forecaster.inference.tails import inverse

TICKERS, EVERY, PATHS = 80, 3, 1_000
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
    """

    stretches: Stretches
    origins: np.ndarray
    moves: np.ndarray
    outcomes: np.ndarray

    @classmethod
    def of(cls, work: Judged) -> Window:
        """Tickers by chance among those with whole histories and a forecast on every day."""
        old = np.array([one.dates[0] <= _FIRST for one in work.bars]) & (work.rows >= 0).all(axis=0)
        usable = np.flatnonzero(old)
        rng = np.random.default_rng(1)
        kept = np.sort(rng.choice(usable, min(TICKERS, len(usable)), replace=False))
        chosen = [step - 1 for step in STEPS]
        quantiles = work.quantiles[::EVERY, kept][:, :, chosen, CLOSE].astype(float)
        tails = np.broadcast_to(work.tails[chosen, CLOSE], (*quantiles.shape[1:3], 2, 2))
        shares = (np.arange(PATHS) + 0.5) / PATHS
        moves = [np.expm1(inverse(one, work.levels, tails, shares)).astype(np.float32) for one in quantiles]
        outcomes = np.stack([actual(work, step)[::EVERY, kept] for step in STEPS], axis=-1)
        stretches = Stretches.in_panel(Panel.of([work.bars[number] for number in kept]), STEPS[-1])
        return cls(stretches, work.dates[::EVERY], np.stack(moves), outcomes)

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
