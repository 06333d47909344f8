"""Joint paths of several tickers: the one object that risk, odds and covariance are read from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import VARIABLES
from forecaster.cores import thread_map
from forecaster.data.bars import Bars
from forecaster.errors import InputError, at_most_five
from forecaster.inference.comovement import Conditioned, draw_past
from forecaster.inference.coupling import ALL, coherent_paths, coupled
from forecaster.inference.forecast import Forecast
from forecaster.inference.paths import contiguous
from forecaster.inference.stretches import Stretches
from forecaster.printable import quoted

INNER = 95.0
"""Per cent between which every run has levels; beyond it a fit of the tails is needed."""

OUTERMOST = 99.0
"""Outermost per cent at which the fit of the tails was measured."""


@dataclass(frozen=True, eq=False)
class JointPaths:
    """Paths of several tickers, each drawn on one past stretch of dates for all of them.

    Args:
        forecasts: of the tickers, in order; each has the run, the origin and the dates of the sessions.
        prices: in each ticker's currency; float32.
        variables: which of open, high, low, close (0 to 3) the last axis holds.
        notes: what a reader should know, one sentence each.
        behind: tickers whose candles end before the others'.
    """

    forecasts: tuple[Forecast, ...]
    prices: Float[np.ndarray, "path ticker step variable"]
    variables: tuple[int, ...]
    notes: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()

    @property
    def tickers(self) -> tuple[str, ...]:
        """Symbols, in order."""
        return tuple(one.ticker for one in self.forecasts)

    def of(self, variable: int) -> Float[np.ndarray, "path ticker step"]:
        """One of the four prices (0 open, 1 high, 2 low, 3 close)."""
        return self.prices[..., self.variables.index(variable)]

    def as_rows(self) -> Iterator[dict[str, object]]:
        """Long format: a row for each path, ticker and step."""
        names = [VARIABLES[variable] for variable in self.variables]
        for number, path in enumerate(self.prices.tolist(), 1):
            for forecast, steps in zip(self.forecasts, path, strict=True):
                for place, prices in enumerate(steps):
                    head = {"path": number, "ticker": forecast.ticker, "step": place + 1}
                    yield head | {"date": str(forecast.dates[place])} | dict(zip(names, prices, strict=True))


def require_paths(levels: tuple[float, ...], trained: tuple[int, ...], run: str) -> int:
    """How many sessions a run's paths may have: its steps 1, 2, … without a gap.

    Raises:
        InputError: it forecasts no step 1, or medians only.
    """
    length = contiguous(trained)
    if not length or len(levels) == 1:
        raise InputError(
            f"run {run} can draw no paths: they need bands from step 1 on. Train with task.horizon from step 1, or "
            "take --run pretrained."
        )
    return length


def require_level(level: object, forecasts: Sequence[Forecast]) -> None:
    """Check a confidence level in per cent.

    Raises:
        InputError: it is no number between 50 and 99, or beyond 95 and a forecast's tail was not fitted.
    """
    number = float(level) if isinstance(level, Real) else math.nan
    if not 50 < number <= OUTERMOST:
        shown = f"{number:g}" if isinstance(level, Real) else quoted(level)
        raise InputError(f"--level is {shown}: expected a per cent above 50 and up to {OUTERMOST:g}, such as 95.")
    bare = [one for one in forecasts if one.tails is None]
    if number > INNER and bare:
        names = at_most_five(one.ticker for one in bare)
        raise InputError(
            f"--level is {number:g}, but run {bare[0].run} has no fit of the tails beyond 5 and 95% for {names}: "
            f"choose --level {INNER:g} or less, or train a run with this version."
        )


def join(
    forecasts: Sequence[Forecast],
    bars: Sequence[Bars],
    count: int,
    seed: int,
    variables: tuple[int, ...] = ALL,
) -> JointPaths:
    """Draw joint paths over the contiguous steps of forecasts.

    Args:
        bars: the candles of each up to its origin, in the same order.
        count: number of paths.
        seed: the same seed, tickers and candles draw the same paths.

    Raises:
        InputError: a history is too short, the count is below 1, or the seed below 0.
    """
    if count < 1:
        raise InputError(f"--paths is {count}: expected at least 1.")
    if seed < 0:
        raise InputError(f"--seed is {seed}: expected at least 0.")
    length = contiguous(forecasts[0].steps)
    stretches = Stretches.of(bars, length, seed)
    past = Conditioned.of(stretches, variables)
    drawn = draw_past(stretches, count, seed)
    prices = np.empty((count, len(forecasts), length, len(variables)), np.float32)

    def draw(place: int) -> None:
        one = forecasts[place]
        quantiles = np.log(one.prices[:length, list(variables)] / one.last_close)
        tails = None if one.tails is None else one.tails[:length, list(variables)]
        moves = coupled(past.values(place), drawn, quantiles, one.levels, tails, ticker=one.ticker, seed=seed)
        if variables == ALL:
            moves = coherent_paths(moves)
        prices[:, place] = one.last_close * np.exp(moves)

    for _ in thread_map(draw, range(len(forecasts))):
        pass
    return JointPaths(tuple(forecasts), prices, variables, (*stretches.notes(), *_bare(forecasts)))


def with_paths(forecasts: Sequence[Forecast], bars: Sequence[Bars], count: int, seed: int) -> list[Forecast]:
    """The forecasts with coupled paths: path i of each is of the same past date."""
    joint = join(forecasts, bars, count, seed)
    return [replace(one, paths=joint.prices[:, place].astype(np.float64)) for place, one in enumerate(forecasts)]


def _bare(forecasts: Sequence[Forecast]) -> list[str]:
    runs = dict.fromkeys(one.run for one in forecasts if one.tails is None)
    return [f"Run {run} has no fit of its tails: beyond 5 and 95% they are taken as exponential." for run in runs]
