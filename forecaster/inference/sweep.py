"""A network's quantiles at many origins: each ticker is read in stretches, warm-up first."""

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

_STRETCH = 512
"""Origins of one ticker in a stretch."""

_CANDLES = 32_768
"""Candles read in one forward pass: bounds the memory."""


@runtime_checkable
class Runnable(Protocol):
    """A trained network, whether torch or numpy runs it."""

    @property
    def horizon(self) -> int:
        """Steps that it learnt."""
        ...

    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """Standardised quantiles at each of the `last` candles."""
        ...


@dataclass(frozen=True)
class Reach:
    """How a network is run over a history: `warm` candles are read before `span` forecasts are given.

    Args:
        lanes: stretches in every forward pass, so that a forecast has the same last bits whatever its companions are:
            for torch the last pass is filled up, as arithmetic on arrays of one shape, and ours is the same for any
            number of lanes up to `light.recurrent.REPRODUCIBLE_ROWS`. 0 takes as many as fit the memory.
    """

    warm: int
    span: int
    lanes: int = 0

    @property
    def length(self) -> int:
        return self.warm + self.span

    @classmethod
    def of(cls, task: TaskConfig, span: int = _STRETCH) -> Reach:
        """A window's forecast has read exactly `context` candles; a dense network may give many in one pass."""
        return cls(task.read - 1, 1 if task.supervision == "window" else span)

    @classmethod
    def newest(cls, task: TaskConfig) -> Reach:
        """One forecast a ticker, the same alone and among others."""
        return replace(cls.of(task, span=1), lanes=REPRODUCIBLE_ROWS)


def standardised_quantiles(
    network: Runnable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Quantiles of log(price / last close) / (scale·√step) at each origin.

    Args:
        rows: ascending rows of the panel; under window supervision each at least `context` deep in its ticker.
    """
    starts, stretch, position = _stretches(dataset, rows, reach)
    last = dataset.panel.offsets[dataset.panel.ticker_of_row[starts] + 1] - 1
    parts = []
    per_pass = reach.lanes or max(1, _CANDLES // reach.length)
    filled = bool(reach.lanes) and not isinstance(network, LightNetwork)
    for begin in range(0, len(starts), per_pass):
        chosen = np.arange(begin, begin + per_pass if filled else min(begin + per_pass, len(starts)))
        chosen = np.minimum(chosen, len(starts) - 1)
        candles = np.minimum(starts[chosen, None] + np.arange(reach.length), last[chosen, None])
        first, past = np.searchsorted(stretch, [begin, begin + per_pass])
        inputs = dataset.features.values[candles]
        parts.append(_picked(network, inputs, reach, stretch[first:past] - begin, position[first:past]))
    return np.concatenate(parts)


def quantiles(
    network: Runnable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Quantiles of log(price / last close), coherent (see `coherent`), for the steps that the network tells."""
    standard = standardised_quantiles(network, dataset, rows, reach)
    return coherent(standard * dataset.units(rows)[:, : standard.shape[1], None, None])


def _picked(
    network: Runnable,
    inputs: Float[np.ndarray, "batch time feature"],
    reach: Reach,
    batch: Int[np.ndarray, " pick"],
    time: Int[np.ndarray, " pick"],
) -> Float[np.ndarray, "pick horizon variable quantile"]:
    first = int(time.min())  # a ticker's first stretch begins at its own start, so that origins may lie in the warm-up
    return network.run(inputs, reach.length - first)[batch, time - first]


def _stretches(dataset: Dataset, rows: Rows, reach: Reach) -> tuple[Int[np.ndarray, " stretch"], Rows, Rows]:
    """First row of each stretch, and for each origin its stretch and its position in it."""
    ticker = dataset.panel.ticker_of_row[rows]
    new_ticker = np.flatnonzero(np.concatenate([[True], ticker[1:] != ticker[:-1]]))
    lead = rows[new_ticker][np.searchsorted(new_ticker, np.arange(len(rows)), "right") - 1]
    block = (rows - lead) // reach.span
    changes = np.concatenate([[True], (ticker[1:] != ticker[:-1]) | (block[1:] != block[:-1])])
    stretch = np.cumsum(changes) - 1
    first_origin = lead[changes] + block[changes] * reach.span
    starts = np.maximum(first_origin - reach.warm, dataset.first_row[rows[changes]])
    return starts, stretch, rows - starts[stretch]
