"""Runs a network over many origins: each ticker is read in chunks, with a warm-up first.

One forward pass gives the forecasts of a whole chunk. With warm = 3 and span = 4, origins `o` of one ticker:

    candle    0 1 2 3 4 5 6 7 8 9 10
    chunk 0   w w w o o o o                 reads 0 … 6, forecasts at 3 … 6
    chunk 1           w w w o o o o         reads 4 … 10, forecasts at 7 … 10

Shapes: starts "chunk" is the first row that each chunk reads; for every origin, `chunk` is the index of its chunk and
`position` its candle within it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from forecaster.axes import Float, Int
from forecaster.config.schema import TaskConfig
from forecaster.data.coherence import coherent
from forecaster.features.dataset import Dataset, Rows
from forecaster.light.network import LightNetwork
from forecaster.light.recurrent import REPRODUCIBLE_ROWS

_SPAN = 512
"""Origins of one ticker in a chunk."""

_CANDLES = 32_768
"""Most candles in one forward pass: bounds the memory."""


@runtime_checkable
class Runnable(Protocol):
    """A trained network, whether torch or numpy runs it."""

    @property
    def horizon(self) -> int:
        """Number of trained steps."""
        ...

    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """Standardised quantiles at each of the `last` candles."""
        ...


@dataclass(frozen=True)
class Reach:
    """How a network is run over a history: `warm` candles are read before `span` forecasts are made.

    Args:
        batch: chunks in every forward pass, so that a forecast has the same last bits whatever else is in the batch:
            torch's results depend on the batch size, so its last batch is padded; ours are the same for any size up to
            `light.recurrent.REPRODUCIBLE_ROWS`. 0 takes as many as fit in memory.
    """

    warm: int
    span: int
    batch: int = 0

    @property
    def length(self) -> int:
        return self.warm + self.span

    @classmethod
    def of(cls, task: TaskConfig, span: int = _SPAN) -> Reach:
        """Under window supervision a forecast reads exactly `context` candles; a dense network makes many a pass."""
        return cls(task.read - 1, 1 if task.supervision == "window" else span)

    @classmethod
    def newest(cls, task: TaskConfig) -> Reach:
        """One forecast a ticker, with the same bits alone or among others."""
        return replace(cls.of(task, span=1), batch=REPRODUCIBLE_ROWS)


def standardised_quantiles(
    network: Runnable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Quantiles of log(price / last close) / (scale·√step) at each origin.

    Args:
        rows: ascending rows of the panel; under window supervision each at least `context` deep in its ticker.
    """
    starts, chunk, position = _chunks(dataset, rows, reach)
    last = dataset.panel.offsets[dataset.panel.ticker_of_row[starts] + 1] - 1
    parts = []
    per_pass = reach.batch or max(1, _CANDLES // reach.length)
    filled = bool(reach.batch) and not isinstance(network, LightNetwork)
    for begin in range(0, len(starts), per_pass):
        chosen = np.arange(begin, begin + per_pass if filled else min(begin + per_pass, len(starts)))
        # The last batch is padded with copies of its last chunk, which are never read.
        chosen = np.minimum(chosen, len(starts) - 1)
        # [chunk, candle]. Past the ticker's end its last candle is repeated; later than all origins, it alters none.
        candles = np.minimum(starts[chosen, None] + np.arange(reach.length), last[chosen, None])
        # `chunk` ascends, so the origins of these chunks lie side by side.
        first, past = np.searchsorted(chunk, [begin, begin + per_pass])
        inputs = dataset.features.values[candles]
        parts.append(_pick(network, inputs, reach, chunk[first:past] - begin, position[first:past]))
    return np.concatenate(parts)


def quantiles(
    network: Runnable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Coherent quantiles of log(price / last close), for the trained steps (see `coherent`)."""
    standard = standardised_quantiles(network, dataset, rows, reach)
    return coherent(standard * dataset.units(rows)[:, : standard.shape[1], None, None])


def _pick(
    network: Runnable,
    inputs: Float[np.ndarray, "batch time feature"],
    reach: Reach,
    batch: Int[np.ndarray, " pick"],
    time: Int[np.ndarray, " pick"],
) -> Float[np.ndarray, "pick horizon variable quantile"]:
    # A chunk never starts before its ticker's first candle, so origins may lie in the warm-up.
    first = int(time.min())
    return network.run(inputs, reach.length - first)[batch, time - first]


def _chunks(dataset: Dataset, rows: Rows, reach: Reach) -> tuple[Int[np.ndarray, " chunk"], Rows, Rows]:
    """First row of each chunk; for each origin, the index of its chunk and its position in the chunk."""
    # With span 4, origins at rows 3 4 6 8 of one ticker and 20 of the next:
    # lead (the ticker's first origin) 3 3 3 3 20, block 0 0 0 1 0, chunk 0 0 0 1 2.
    ticker = dataset.panel.ticker_of_row[rows]
    new_ticker = np.flatnonzero(np.concatenate([[True], ticker[1:] != ticker[:-1]]))
    lead = rows[new_ticker][np.searchsorted(new_ticker, np.arange(len(rows)), "right") - 1]
    block = (rows - lead) // reach.span
    changes = np.concatenate([[True], (ticker[1:] != ticker[:-1]) | (block[1:] != block[:-1])])
    chunk = np.cumsum(changes) - 1
    first_origin = lead[changes] + block[changes] * reach.span
    # A young ticker is read from its first candle on: less warm-up, but never another ticker's rows.
    starts = np.maximum(first_origin - reach.warm, dataset.first_row[rows[changes]])
    return starts, chunk, rows - starts[chunk]
