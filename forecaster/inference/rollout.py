"""Autoregressive rollout: steps beyond the trained ones, by feeding forecast candles back as input.

A one-step network is rolled forward along a few paths from every origin. At each step a path's candle is drawn from the
forecast quantiles, its features are computed, and the network resumes from its hidden state. The paths determine only
the width of each step's quantiles; the shape is that of the pooled training quantiles, as in the head. (Empirical
quantiles of a few hundred paths are coarser and cost a tenth of the skill.)

Shapes: origins × PATHS paths are flattened to one "path" axis, the paths of an origin next to each other:
[origin 0 path 0, origin 0 path 1, …, origin 1 path 0, …]; `reshape(origin, PATHS, …)` separates them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from forecaster.axes import Float, Int
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import CLOSE, coherent
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.candlepaths import draw_candles, random_scores, spread_scores
from forecaster.inference.sweep import Reach, Runnable

PATHS = 16
"""Paths from each origin: each step draws one day from every sixteenth of calm to wild days."""

_SEED = 0
_ORIGINS = 64
"""Origins in a batch, the last batch padded: a forecast has the same bits alone or among others."""


class Rollable(Runnable, Protocol):
    """A network that resumes from its hidden state (see `models.network.Network`)."""

    pooled: Float[np.ndarray, "step 4 quantile"]

    def advance(
        self, inputs: Float[np.ndarray, "batch time feature"], memory: Any = ()
    ) -> tuple[Float[np.ndarray, "batch horizon 4 quantile"], Any]:
        """The forecast at the newest candle, and the new hidden state."""
        ...


def rollout_quantiles(
    network: Rollable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin step 4 quantile"]:
    """Coherent quantiles of log(price / last close) for every step of the dataset, by rollout of a one-step network."""
    standard = np.empty((len(rows), len(dataset.steps), 4, len(LEVELS)))
    scores = spread_scores(len(dataset.steps) - 1, PATHS, _SEED)
    for chosen, candles in _batches(dataset, rows, reach):
        widths = _rollout_widths(network, dataset, rows[chosen], candles, scores)
        standard[chosen] = network.pooled * widths[..., None]
    return coherent(standard * dataset.units(rows)[..., None, None])


def _batches(dataset: Dataset, rows: Rows, reach: Reach) -> Iterator[tuple[Int[np.ndarray, " origin"], int]]:
    """Batches of `_ORIGINS` origins with equally many candles to read: their indices, and the number of candles."""
    lengths = np.minimum(rows - dataset.first_row[rows], reach.warm) + 1
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        for start in range(0, len(places), _ORIGINS):
            # np.resize fills the batch with the same origins again; their results are then written twice, unchanged.
            yield np.resize(places[start : start + _ORIGINS], _ORIGINS), int(length)


def _rollout_widths(
    network: Rollable, dataset: Dataset, rows: Rows, candles: int, scores: Float[np.ndarray, "drawn path 4"]
) -> Float[np.ndarray, "origin step 4"]:
    """Width of each step's quantiles relative to the pooled ones.

    A move over k steps is k − 1 close-to-close moves plus the last day's price: their variances add up.
    """
    pooled = _width(network.pooled[:1])[0]
    # [origin, candle, feature], the origin last.
    inputs = dataset.features.values[rows[:, None] + np.arange(1 - candles, 1)]
    following, memory = network.advance(inputs)
    paths, memory = dataset.path_source.start(rows).repeated(PATHS), _repeat(memory)
    following, start = np.repeat(following[:, 0], PATHS, axis=0), np.repeat(dataset.features.scale[rows], PATHS)
    closes, found = np.zeros(len(start)), []
    for step in range(len(dataset.steps)):
        # Each path's forecast is in units of its current volatility; widths are compared in units of the origin's.
        squares = (_width(following) * (paths.scale / start)[:, None]) ** 2
        # The same sum if every day were as wide as a pooled one: then the ratio is 1, and the forecast is `pooled`.
        usual = step * pooled[CLOSE] ** 2 + pooled**2
        mean = (closes[:, None] + squares).reshape(len(rows), PATHS, 4).mean(axis=1)
        # If no price ever moved, the pooled quantiles have width 0: ratio 1.
        found.append(np.sqrt(np.divide(mean, usual, out=np.ones_like(mean), where=usual > 0)))
        if step == len(scores):
            break
        closes += squares[:, CLOSE]
        # The same days for every origin, or a forecast would depend on its place in the batch.
        moves = draw_candles(following * paths.scale[:, None, None], LEVELS, np.tile(scores[step], (len(rows), 1)))
        paths, features = paths.append(moves)
        following, memory = network.advance(features[:, None], memory)
        following = following[:, 0]
    return np.stack(found, axis=1)


def _width(quantiles: Float[np.ndarray, "*path 4 quantile"]) -> Float[np.ndarray, "*path 4"]:
    """Distance between the outermost quantiles."""
    return quantiles[..., -1] - quantiles[..., 0]


def _repeat(memory: Any) -> Any:
    return tuple(part.repeat_interleave(PATHS, dim=0) for part in memory)


def grow_paths(
    networks: Sequence[Rollable],
    dataset: Dataset,
    levels: tuple[float, ...],
    steps: int,
    count: int,
    seed: int,
    weights: Sequence[float] | None = None,
) -> Float[np.ndarray, "path step 4"]:
    """Rollout of candle paths from a ticker's newest candle (1-to-N): each candle is drawn from step 1 and fed back.

    The networks start from a zero hidden state and read only the candles of the dataset, which alone determine
    features, volatility and state.

    Args:
        dataset: one ticker; its first candle only provides the previous close of the second.
        weights: of the networks; equal if absent.

    Returns:
        log(price / last close), coherent.
    """
    rows = np.array([len(dataset.panel.sessions) - 1])
    inputs = np.repeat(dataset.features.values[None, 1:], count, axis=0)
    paths, origin = dataset.path_source.start(rows).repeated(count), dataset.logs[-1, CLOSE]
    memories: list[Any] = [() for _ in networks]
    scores, found = random_scores(steps, count, seed), []
    for step in range(steps):
        answers = [network.advance(inputs, memory) for network, memory in zip(networks, memories, strict=True)]
        memories = [memory for _, memory in answers]
        quantiles = coherent(np.average([coherent(answer[:, 0]) for answer, _ in answers], axis=0, weights=weights))
        moves = draw_candles(quantiles * paths.scale[:, None, None], levels, scores[step])
        paths, features = paths.append(moves)
        # From here on the newest candle alone: the hidden state holds the rest.
        inputs = features[:, None]
        found.append(paths.logs[-1] - origin)
    return np.stack(found, axis=1)
