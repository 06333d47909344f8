"""Steps that a network did not learn, reached by feeding back what it forecast.

A network of one step is rolled forward along a few paths from every origin: each path's candle is drawn from the
quantiles of the next step, its features are computed, and the network goes on from there. What the paths tell is how
wide each step's move will be; the shape is that of the pooled training quantiles, as in the head. (Quantiles counted
from a few hundred paths are coarser and cost a tenth of the skill.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from forecaster.axes import Float, Int
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import CLOSE, coherent
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.candlepaths import drawn, random_scores, spread_scores
from forecaster.inference.sweep import Reach, Runnable

PATHS = 16
"""Paths from each origin: each step draws one day from every sixteenth of calm and wild days."""

_SEED = 0
_ORIGINS = 64
"""Origins rolled at once, the last ones filled up: a forecast is the same alone and among others."""


class Rollable(Runnable, Protocol):
    """A network that can go on from what it has read (see `models.network.Network`)."""

    pooled: Float[np.ndarray, "step 4 quantile"]

    def advance(
        self, inputs: Float[np.ndarray, "batch time feature"], memory: Any = ()
    ) -> tuple[Float[np.ndarray, "batch horizon 4 quantile"], Any]:
        """The forecast at the newest candle, and what to keep for the next one."""
        ...


def rolled_quantiles(
    network: Rollable, dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin step 4 quantile"]:
    """Coherent quantiles of log(price / last close) for every step of the dataset, from a network of one step."""
    standard = np.empty((len(rows), len(dataset.steps), 4, len(LEVELS)))
    scores = spread_scores(len(dataset.steps) - 1, PATHS, _SEED)
    for chosen, candles in _batches(dataset, rows, reach):
        widths = _rolled(network, dataset, rows[chosen], candles, scores)
        standard[chosen] = network.pooled * widths[..., None]
    return coherent(standard * dataset.units(rows)[..., None, None])


def _batches(dataset: Dataset, rows: Rows, reach: Reach) -> Iterator[tuple[Int[np.ndarray, " origin"], int]]:
    """Places of origins that read equally many candles, `_ORIGINS` at a time, and that number."""
    lengths = np.minimum(rows - dataset.first_row[rows], reach.warm) + 1
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        for start in range(0, len(places), _ORIGINS):
            yield np.resize(places[start : start + _ORIGINS], _ORIGINS), int(length)


def _rolled(
    network: Rollable, dataset: Dataset, rows: Rows, candles: int, scores: Float[np.ndarray, "drawn path 4"]
) -> Float[np.ndarray, "origin step 4"]:
    """How many times as wide as the pooled quantiles each step's move is forecast to be.

    A move over k steps is k − 1 closes and one price of the last day, their variances summed.
    """
    pooled = _width(network.pooled[:1])[0]
    inputs = dataset.features.values[rows[:, None] + np.arange(1 - candles, 1)]
    following, memory = network.advance(inputs)
    lanes, memory = dataset.path_source.start(rows).repeated(PATHS), _repeated(memory)
    following, start = np.repeat(following[:, 0], PATHS, axis=0), np.repeat(dataset.features.scale[rows], PATHS)
    closes, found = np.zeros(len(start)), []
    for step in range(len(dataset.steps)):
        squares = (_width(following) * (lanes.scale / start)[:, None]) ** 2
        usual = step * pooled[CLOSE] ** 2 + pooled**2
        mean = (closes[:, None] + squares).reshape(len(rows), PATHS, 4).mean(axis=1)
        # Where no price ever moved, the pooled quantiles have no width that could be scaled.
        found.append(np.sqrt(np.divide(mean, usual, out=np.ones_like(mean), where=usual > 0)))
        if step == len(scores):
            break
        closes += squares[:, CLOSE]
        moves = drawn(following * lanes.scale[:, None, None], LEVELS, np.tile(scores[step], (len(rows), 1)))
        lanes, features = lanes.append(moves)
        following, memory = network.advance(features[:, None], memory)
        following = following[:, 0]
    return np.stack(found, axis=1)


def _width(quantiles: Float[np.ndarray, "*lane 4 quantile"]) -> Float[np.ndarray, "*lane 4"]:
    return quantiles[..., -1] - quantiles[..., 0]


def _repeated(memory: Any) -> Any:
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
    """Candle paths from a ticker's newest candle (1-to-N): each candle drawn from step 1 and fed back.

    The networks begin without memory and read the candles of the dataset and no other: features, volatility and state
    are what these alone can tell.

    Args:
        dataset: one ticker; its first candle gives the others their previous close and is not read itself.
        weights: how much each network counts; alike if absent.

    Returns:
        log(price / last close), coherent.
    """
    rows = np.array([len(dataset.panel.sessions) - 1])
    inputs = np.repeat(dataset.features.values[None, 1:], count, axis=0)
    lanes, origin = dataset.path_source.start(rows).repeated(count), dataset.logs[-1, CLOSE]
    memories: list[Any] = [() for _ in networks]
    scores, found = random_scores(steps, count, seed), []
    for step in range(steps):
        answers = [network.advance(inputs, memory) for network, memory in zip(networks, memories, strict=True)]
        memories = [memory for _, memory in answers]
        quantiles = coherent(np.average([coherent(answer[:, 0]) for answer, _ in answers], axis=0, weights=weights))
        moves = drawn(quantiles * lanes.scale[:, None, None], levels, scores[step])
        lanes, features = lanes.append(moves)
        inputs = features[:, None]
        found.append(lanes.logs[-1] - origin)
    return np.stack(found, axis=1)
