"""Panel, features and forecast steps: the origins of a period, and their outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from forecaster import mapped
from forecaster.axes import Bool, Float, Int
from forecaster.data.calendars import opens_at_last_close
from forecaster.data.coherence import CLOSE, OPEN
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.append import PathSource
from forecaster.features.compute import Features
from forecaster.features.state import EwmaState

Rows = Int[np.ndarray, " origin"]

Base = Float[np.ndarray, "horizon variable quantile"]

Forecaster = Callable[[Rows], Float[np.ndarray, "origin horizon variable quantile"]]
"""Origins → coherent quantiles of log(price / last close)."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """All that training and evaluation read.

    Args:
        features: one row a panel row.
        steps: sessions ahead, ascending; a step counts the ticker's own sessions.
        ewma_state: returns the state before the panel's first rows, where these continue longer histories. A function,
            because only recursive decoders need it.
    """

    panel: Panel
    features: Features
    steps: tuple[int, ...]
    ewma_state: Callable[[], EwmaState] | None = None
    _bases: dict[tuple[Period, tuple[float, ...]], Base] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def logs(self) -> Float[np.ndarray, "row 4"]:
        """Natural logs of adjusted open, high, low, close."""
        prices = self.panel.prices
        return np.log(prices, out=mapped.empty(prices.shape, prices.dtype))

    @cached_property
    def path_source(self) -> PathSource:
        """What candle paths need to start from the rows: used by the autoregressive rollout."""
        groups = dict.fromkeys(name.partition(".")[0] for name in self.features.names)
        return PathSource.of(self.panel, tuple(groups), None if self.ewma_state is None else self.ewma_state())

    @cached_property
    def first_row(self) -> Int[np.ndarray, " row"]:
        """First row of the ticker that each row belongs to."""
        return self.panel.offsets[self.panel.ticker_of_row]

    def last_row(self, period: Period, rows: Rows | None = None) -> Int[np.ndarray, " row"]:
        """Last row, within the period, of the ticker that each row belongs to; for all rows if `rows` is absent."""
        ticker = self.panel.ticker_of_row if rows is None else self.panel.ticker_of_row[rows]
        return self.panel.last_rows(period.end)[ticker]

    def origins(self, period: Period, history: int = 1) -> Rows:
        """Rows to forecast from: ready, with `history` candles, and with their first outcome inside the period too."""
        rows = np.arange(len(self.panel.sessions))
        usable = self.features.ready & (rows + self.steps[0] <= self.last_row(period))
        usable &= rows - self.first_row >= history - 1
        if period.start is not None:
            usable &= self.panel.sessions > period.start
        return np.flatnonzero(usable)

    def require_origins(self, period: Period, history: int) -> Rows:
        """`origins`, checked: there are some, and each step's outcome is known for at least one.

        Raises:
            InputError: no ticker has enough history before the period, or enough sessions in it.
        """
        rows = self.origins(period, history)
        if not len(rows):
            raise InputError(
                f"task.context is {history}, but no ticker has that many candles before an outcome in the "
                f"period {period} "
                f"(the longest history has {self.panel.lengths.max()} in all): lower task.context, lengthen the "
                "period of data.split, or fetch an earlier start."
            )
        known = self.known(rows, period).any(axis=0)
        if not known.all():
            raise InputError(
                f"task.horizon has step {self.steps[int(np.argmin(known))]}, but no ticker has that many sessions "
                f"in the period {period}: lower task.horizon or lengthen the period of data.split."
            )
        return rows

    def known(self, rows: Rows, period: Period) -> Bool[np.ndarray, "origin horizon"]:
        """Where the outcome lies in the same period as its origin (the purge at period borders)."""
        last, known = self.last_row(period, rows), np.empty((len(rows), len(self.steps)), bool)
        for place, step in enumerate(self.steps):  # one after the other: rows + steps would take 8 bytes a cell
            np.less_equal(rows + step, last, out=known[:, place])
        return known

    def moves(self, rows: Rows) -> Float[np.ndarray, "origin horizon variable"]:
        """Outcomes: log(actual price / last close); NaN past the ticker's last row."""
        moves = np.empty((len(rows), len(self.steps), 4))
        for place, step in enumerate(self.steps):
            moves[:, place] = self.moved(rows, step)
        return moves

    def moved(self, rows: Rows, step: int) -> Float[np.ndarray, "origin variable"]:
        """`moves` of one step: for many origins, all steps at once would take much memory."""
        ahead = rows + step
        moved = self.logs[np.minimum(ahead, len(self.logs) - 1)] - self.logs[rows, CLOSE][:, None]
        moved[ahead >= self.panel.offsets[self.panel.ticker_of_row[rows] + 1]] = np.nan
        return moved

    def scored(self, rows: Rows) -> Bool[np.ndarray, "origin variable"]:
        """Which prices are scored: where trading never stops, the open equals the last close and is known already."""
        found = np.ones((len(rows), 4), bool)
        endless = np.array([opens_at_last_close(calendar) for calendar in self.panel.calendars])
        found[endless[self.panel.ticker_of_row[rows]], OPEN] = False
        return found

    def units(self, rows: Rows) -> Float[np.ndarray, "origin horizon"]:
        """scale·√step: the unit of moves."""
        return self.features.scale[rows, None] * np.sqrt(self.steps)

    def base(self, period: Period, levels: tuple[float, ...]) -> Base:
        """Pooled quantiles of moves / units in a period: the networks' starting point, and a baseline. Cached.

        Read-only: callers must not write into it.
        """
        if (period, levels) not in self._bases:
            self._bases[period, levels] = pooled_quantiles(self, period, self.units, levels)
        return self._bases[period, levels]


def pooled_quantiles(
    dataset: Dataset,
    period: Period,
    units: Callable[[Rows], Float[np.ndarray, "origin horizon"]],
    levels: tuple[float, ...],
) -> Float[np.ndarray, "horizon variable quantile"]:
    """Quantiles of moves / units over all origins of a period, tickers pooled; linear interpolation."""
    rows = dataset.origins(period)
    known, unit = dataset.known(rows, period), mapped.empty((len(rows), len(dataset.steps)), np.float64)
    for block in mapped.blocks(len(rows)):
        unit[block] = units(rows[block])
    found = []
    for place, step in enumerate(dataset.steps):
        some, size = rows[known[:, place]], unit[known[:, place], place]
        # Contiguous by price: np.quantile takes half the time.
        moved = mapped.empty((4, len(some)), np.float64)
        for block in mapped.blocks(len(some)):
            np.divide(dataset.moved(some[block], step).T, size[block], out=moved[:, block])
        found.append(np.quantile(moved, levels, axis=1, overwrite_input=True).T)
    return np.stack(found)
