"""How much tickers move together now: past stretches, rescaled to the average correlation that the last weeks suggest.

On some past dates tickers had half of their squared moves in common, on others a tenth, and weeks resemble the weeks
before. So each past move is split into the mean over the N tickers and the rest, and the two are multiplied by

    g = √((1 + (N − 1) ρ') / (1 + (N − 1) ρ))   and   h = √((1 − ρ') / (1 − ρ)),

which turns an average correlation ρ of the past into ρ', the one expected now, and keeps the mean square. Example with
two tickers, ρ = 0.6, ρ' = 0.2: g = √(1.2 / 1.6) = 0.87 and h = √(0.8 / 0.4) = 1.41. Only ranks are read off the result,
so the marginals stay the forecast's; which tickers move with which, the tails and the order of days stay the past's.

Source: Engle & Kelly (2012), "Dynamic Equicorrelation", for one number for all pairs; Corsi (2009), "A Simple
Approximate Long-Memory Model of Realized Volatility", for means over a week, a quarter and years side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Float32, Int, Shaped
from forecaster.cores import thread_map
from forecaster.data.coherence import CLOSE
from forecaster.inference.coupling import draw_dates
from forecaster.inference.stretches import FEWEST, Stretches

HALF_LIFE = 1_000.0
"""Sessions, four years: which tickers move with which changes with the years, so newer dates are taken more often."""

HALF_LIVES = (5.0, 66.0, HALF_LIFE)
"""Sessions. The expected correlation is the plain mean of running means over a week, a quarter and the dates taken."""

_CUT = 4.0
"""Moves count as at most so many deviations, so that one ticker's accident is no market's."""

_MOST = 0.95
"""Bound of an average correlation; below, it is this share of what N tickers can have, −1 / (N − 1)."""


@dataclass(frozen=True)
class Gains:
    """By how much past moves are multiplied: what tickers have in common, and each ticker's rest."""

    common: float = 1.0
    own: float = 1.0

    @classmethod
    def between(cls, past: float, now: float, tickers: int) -> Gains:
        """From one average correlation of so many tickers (at least 2) to another."""
        before, after = np.clip((past, now), -_MOST / (tickers - 1), _MOST).tolist()
        common = (1 + (tickers - 1) * after) / (1 + (tickers - 1) * before)
        return cls(float(np.sqrt(common)), float(np.sqrt((1 - after) / (1 - before))))

    def rescale(self, values: np.ndarray, shared: np.ndarray) -> np.ndarray:
        """Multiply a ticker's moves, given what all tickers shared of them (`shared_moves`)."""
        found: np.ndarray = np.float32(self.own) * values
        found += np.float32(self.common - self.own) * shared
        return found


@dataclass(frozen=True, eq=False)
class DailyCorrelation:
    """What tickers had in common on each past day, in closes after one session.

    Args:
        known: the day on which the last of the tickers' closes was known; ascending.
        product: mean over pairs of tickers of the product of their standardised moves.
        square: mean of their squares. Both are sums over dates away from an average correlation.
    """

    tickers: int
    known: Shaped[np.ndarray, " date"]
    product: Float[np.ndarray, " date"]
    square: Float[np.ndarray, " date"]

    @classmethod
    def of(cls, stretches: Stretches) -> DailyCorrelation:
        """All days up to the last candle; a day counts with two tickers that have a move on it."""
        dataset = stretches.dataset
        rows = stretches.rows_of_days()
        total, square, count = np.zeros((3, len(rows)))
        known = np.full(len(rows), dataset.panel.dates[0])
        for ticker in range(len(dataset.panel)):
            there = rows[:, ticker] >= 0
            own = rows[there, ticker]
            move = np.clip(dataset.moved(own, 1)[:, CLOSE] / dataset.features.scale[own], -_CUT, _CUT)
            total[there] += move
            square[there] += move**2
            count[there] += 1
            known[there] = np.maximum(known[there], dataset.panel.sessions[own + 1])
        some = count > 1
        total, square, count = total[some], square[some], count[some]
        product = (total**2 - square) / (count * (count - 1))
        return cls(len(dataset.panel), np.maximum.accumulate(known[some]), product, square / count)

    def gains(self, until: np.datetime64 | None = None) -> Gains:
        """Gains from the past's average correlation to the one expected; 1 where fewer than 60 days are known.

        Args:
            until: takes only what was known then.
        """
        count = len(self.known) if until is None else int(np.searchsorted(self.known, until, "right"))
        if count < FEWEST:
            return Gains()
        weights = 0.5 ** (np.arange(count)[::-1] / np.array(HALF_LIVES)[:, None])
        squares = weights @ self.square[:count]
        means = weights @ self.product[:count] / np.where(squares > 0, squares, 1.0)
        return Gains.between(means[-1], means.mean(), self.tickers)


def draw_past(stretches: Stretches, count: int, seed: int) -> Int[np.ndarray, " path"]:
    """Index of the date that each path takes.

    All count alike for a single ticker, and where tickers share too few days to say how they move together.
    """
    days = (stretches.rows_of_days() >= 0).sum(axis=1)
    several = (days > 1).sum() >= FEWEST
    return draw_dates(count, len(stretches.dates), seed, HALF_LIFE if several else np.inf)


def shared_moves(stretches: Stretches, variables: Sequence[int]) -> Float32[np.ndarray, "date step variable"]:
    """Mean over the tickers of their standardised moves after each date."""
    count = len(stretches.dataset.panel)

    def cut(ticker: int) -> np.ndarray:
        return np.clip(stretches.values(ticker, variables), -_CUT, _CUT)

    found = np.zeros((len(stretches.dates), len(stretches.dataset.steps), len(variables)), np.float32)
    for one in thread_map(cut, range(count)):
        found += one
    found /= count
    return found


@dataclass(frozen=True, eq=False)
class Conditioned:
    """Past stretches as they are to be ranked now.

    Args:
        shared: of `shared_moves`; None where nothing is rescaled, as for a single ticker.
    """

    stretches: Stretches
    variables: tuple[int, ...]
    gains: Gains
    shared: Float32[np.ndarray, "date step variable"] | None

    @classmethod
    def of(cls, stretches: Stretches, variables: tuple[int, ...]) -> Conditioned:
        """Rescale to what was known at the last candle."""
        gains = DailyCorrelation.of(stretches).gains()
        shared = None if gains == Gains() else shared_moves(stretches, variables)
        return cls(stretches, variables, gains, shared)

    def values(self, ticker: int) -> Float32[np.ndarray, "date step variable"]:
        """One ticker's moves after each date."""
        values = self.stretches.values(ticker, self.variables)
        return values if self.shared is None else self.gains.rescale(values, self.shared)
