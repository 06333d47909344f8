"""Candle paths whose steps belong together, and whose marginals are the forecast's quantiles.

A path is a stretch of training that really happened, in standardised units, with each value mapped from the quantiles
of such stretches to the quantiles that are forecast: a Schaake shuffle drawn at random.

Source: Clark et al. (2004), "The Schaake Shuffle", for the use of past stretches as templates of dependence.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Float32, Int
from forecaster.config.schema import Config
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.dataset import Dataset

_MOST = 8192
"""Templates kept: a quantile of 5 % then rests on four hundred of them."""

_NUMBERS = 400_000
"""Numbers kept: bounds the model file where the horizon is long."""

Templates = Float32[np.ndarray, "template step variable"]
Quantiles = Float[np.ndarray, "*origin step variable quantile"]


def contiguous(steps: tuple[int, ...]) -> int:
    """How many of the steps are 1, 2, 3, …: a path has no holes."""
    return sum(step == place for place, step in enumerate(steps, 1))


def draw_templates(dataset: Dataset, period: Period, config: Config) -> Templates | None:
    """Random stretches of a period as moves / (scale·√step); None for a run that gives no bands, or no first step."""
    length = contiguous(dataset.steps)
    if not length or len(config.task.levels) == 1:
        return None
    rows = dataset.origins(period)
    rows = rows[dataset.known(rows, period)[:, length - 1]]
    count = min(_MOST, _NUMBERS // (4 * length), len(rows))
    chosen = np.sort(np.random.default_rng(config.training.seed).choice(rows, count, replace=False))
    moves = dataset.moves(chosen)[:, :length] / dataset.units(chosen)[:, :length, None]
    return moves.astype(np.float32)


@dataclass(frozen=True, eq=False)
class PathMaker:
    """Templates in the form that any forecast's quantiles map in one go.

    Args:
        place: interval of the templates' quantiles that each value lies in: 0 is below them, the last above.
        share: where in that interval, 0 to 1; outside them below 0 or above 0, in units of the two outer intervals.
    """

    place: Int[np.ndarray, "template step variable"]
    share: Float[np.ndarray, "template step variable"]

    @classmethod
    def of(cls, templates: Templates, levels: tuple[float, ...]) -> PathMaker:
        """Find each value of the templates among the templates' own quantiles."""
        own = np.moveaxis(np.quantile(templates, levels, axis=0), 0, -1)
        place = (templates[..., None] >= own).sum(axis=-1)
        low, width = (_picked(table[None], place[None])[0] for table in _lines(own))
        return cls(place, np.where(width > 0, (templates - low) / np.where(width > 0, width, 1.0), 0.0))

    def __len__(self) -> int:
        return len(self.place)

    def map(
        self, quantiles: Quantiles, chosen: Int[np.ndarray, "*origin path"]
    ) -> Float[np.ndarray, "*origin path step variable"]:
        """Coherent candle paths as log(price / last close).

        Args:
            chosen: which template each path follows.
        """
        place, share = self.place[chosen], self.share[chosen]
        low, width = (_picked(table, place) for table in _lines(quantiles))
        return coherent((low + share * width)[..., None])[..., 0]


def _lines(quantiles: Quantiles) -> tuple[np.ndarray, np.ndarray]:
    """The straight line through each interval, as its lower end and its width; outside, the slope of the outer two."""
    first, last = quantiles[..., :1], quantiles[..., -1:]
    low = np.concatenate([first, quantiles], axis=-1)
    inner, outer = np.diff(quantiles, axis=-1), (quantiles[..., 2:3] - first, last - quantiles[..., -3:-2])
    return low, np.concatenate([outer[0], inner, outer[1]], axis=-1)


def _picked(
    table: Float[np.ndarray, "*origin step variable interval"], place: Int[np.ndarray, "*origin path step variable"]
) -> Float[np.ndarray, "*origin path step variable"]:
    """The entry of each place in the table of its origin, step and variable."""
    begin = np.arange(0, table.size, table.shape[-1]).reshape(*table.shape[:-3], 1, *table.shape[-3:-1])
    return np.ascontiguousarray(table).ravel().take(begin + place)


def sample_paths(
    templates: Templates | None,
    quantiles: Float[np.ndarray, "horizon variable quantile"],
    levels: tuple[float, ...],
    *,
    count: int,
    seed: int,
    ticker: str,
) -> Float[np.ndarray, "path taken variable"]:
    """Coherent paths of one ticker as log(price / last close); the same seed and ticker give the same templates.

    Raises:
        InputError: the run can draw none, or the count is below 1.
    """
    if templates is None or not len(templates):
        raise InputError("--paths: the run has no templates to draw by: train with task.horizon from step 1 and bands.")
    if count < 1:
        raise InputError(f"--paths is {count}: expected at least 1.")
    length = min(templates.shape[1], len(quantiles))
    rng = np.random.default_rng([seed, zlib.crc32(ticker.encode())])
    chosen = rng.integers(len(templates), size=count)
    return PathMaker.of(templates[:, :length], levels).map(quantiles[:length], chosen)
