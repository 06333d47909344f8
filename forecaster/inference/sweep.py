"""A network's quantiles at many origins: each ticker is read in stretches, warm-up first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from forecaster.axes import Float, Int
from forecaster.config.schema import TaskConfig
from forecaster.features.dataset import Dataset, Rows
from forecaster.models.network import Network
from forecaster.models.threads import one_thread

WARM_UP = 250
"""Candles that a densely supervised network reads before the first origin of a stretch."""

_STRETCH = 512
"""Origins of one ticker in a stretch."""

_CANDLES = 65_536
"""Candles read in one forward pass: bounds the memory."""


@dataclass(frozen=True)
class Reach:
    """How a network is run over a history: `warm` candles are read before `span` forecasts are given."""

    warm: int
    span: int

    @property
    def length(self) -> int:
        return self.warm + self.span

    @classmethod
    def of(cls, task: TaskConfig, span: int = _STRETCH) -> Reach:
        """A window's forecast has read exactly `context` candles; a dense network may give many in one pass."""
        return cls(task.context - 1, 1) if task.supervision == "window" else cls(max(WARM_UP, task.context) - 1, span)


@one_thread()
def standardised_quantiles(
    network: Network, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Quantiles of log(price / last close) / (scale·√step) at each origin.

    Args:
        rows: ascending rows of the panel; under window supervision each at least `context` deep in its ticker.
    """
    starts, stretch, position = _stretches(dataset, rows, reach)
    last = dataset.panel.offsets[dataset.panel.ticker_of_row[starts] + 1] - 1
    parts = []
    device = next(network.parameters()).device
    per_pass = max(1, _CANDLES // reach.length)
    with torch.inference_mode():
        for begin in range(0, len(starts), per_pass):
            chosen = slice(begin, begin + per_pass)
            candles = np.minimum(starts[chosen, None] + np.arange(reach.length), last[chosen, None])
            inputs = torch.from_numpy(dataset.features.values[candles]).to(device)
            first, past = np.searchsorted(stretch, [begin, begin + per_pass])
            parts.append(_picked(network, inputs, reach, stretch[first:past] - begin, position[first:past]))
    return np.concatenate(parts)


def quantiles(
    network: Network, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """Quantiles of log(price / last close), coherent (see `coherent`)."""
    from forecaster.inference.coherence import coherent

    standard = standardised_quantiles(network, dataset, rows, reach)
    return coherent(standard * dataset.units(rows)[..., None, None])


def _picked(
    network: Network,
    inputs: torch.Tensor,
    reach: Reach,
    batch: Int[np.ndarray, " pick"],
    time: Int[np.ndarray, " pick"],
) -> Float[np.ndarray, "pick horizon variable quantile"]:
    # A ticker's first stretch begins at its own start, so that its origins may lie inside the warm-up.
    outputs = network(inputs, 1 if reach.span == 1 and np.all(time == reach.warm) else reach.length)
    places = torch.from_numpy(np.where(outputs.shape[1] == 1, 0, time)).to(outputs.device)
    picked: np.ndarray = outputs[torch.from_numpy(batch).to(outputs.device), places].cpu().numpy()
    return picked


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
