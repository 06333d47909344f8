"""Candle paths of one ticker for scoring: dependence across steps as in training, marginals as in the forecast.

A path follows a template: a stretch of the training period in standardised units. Each of its values is mapped from the
quantiles of all templates to the forecast quantiles: a randomised Schaake shuffle. Example at one step and price: a
template value halfway between the templates' 25 % and 50 % quantiles becomes the price halfway between the forecast's.

Shapes: templates "template step variable"; quantiles "*origin step variable quantile", *origin being any number of
leading axes; a table of `q + 1` intervals for q levels (below, between and above them).

Source: Clark et al. (2004), "The Schaake Shuffle", for past stretches as templates of dependence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Float, Float32, Int
from forecaster.config.schema import Config
from forecaster.data.coherence import coherent
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset

_MOST = 8192
"""Most templates: their 5 % quantile then rests on 400 of them."""

_NUMBERS = 400_000
"""Most numbers in all templates: bounds the model file for long horizons."""

Templates = Float32[np.ndarray, "template step variable"]
Quantiles = Float[np.ndarray, "*origin step variable quantile"]


def contiguous(steps: tuple[int, ...]) -> int:
    """How many of the steps are 1, 2, 3, …: a path has no gaps."""
    return sum(step == place for place, step in enumerate(steps, 1))


def draw_templates(dataset: Dataset, period: Period, config: Config) -> Templates | None:
    """Random stretches of a period as moves / (scale·√step); None if the run has no bands or no step 1."""
    length = contiguous(dataset.steps)
    if not length or len(config.task.levels) == 1:
        return None
    rows = dataset.origins(period)
    # The whole stretch lies in the period: a template knows nothing of the next one.
    rows = rows[dataset.known(rows, period)[:, length - 1]]
    count = min(_MOST, _NUMBERS // (4 * length), len(rows))
    chosen = np.sort(np.random.default_rng(config.training.seed).choice(rows, count, replace=False))
    moves = dataset.moves(chosen)[:, :length] / dataset.units(chosen)[:, :length, None]
    return moves.astype(np.float32)


@dataclass(frozen=True, eq=False)
class PathMaker:
    """Templates prepared so that mapping them to any forecast is one vectorised lookup.

    Args:
        place: interval of the templates' quantiles that each value lies in; 0 is below all, the last above all.
        share: position in the interval, 0 to 1; below or above all quantiles, the signed distance from the outermost
            one, in widths of the two outer intervals.
    """

    place: Int[np.ndarray, "template step variable"]
    share: Float[np.ndarray, "template step variable"]

    @classmethod
    def of(cls, templates: Templates, levels: tuple[float, ...]) -> PathMaker:
        """Locate each template value among the templates' own quantiles."""
        # Axes: step, variable, quantile.
        own = np.moveaxis(np.quantile(templates, levels, axis=0), 0, -1)
        # How many of the quantiles a value has reached: 0 below all of them, q from the last on.
        place = (templates[..., None] >= own).sum(axis=-1)
        low, width = (_pick(table[None], place[None])[0] for table in _lines(own))
        # Quantiles that coincide (prices that never moved) have width 0: no position in between.
        return cls(place, np.where(width > 0, (templates - low) / np.where(width > 0, width, 1.0), 0.0))

    def __len__(self) -> int:
        return len(self.place)

    def map(
        self, quantiles: Quantiles, chosen: Int[np.ndarray, "*origin path"]
    ) -> Float[np.ndarray, "*origin path step variable"]:
        """Coherent candle paths as log(price / last close).

        Args:
            chosen: index of the template that each path follows.
        """
        place, share = self.place[chosen], self.share[chosen]
        low, width = (_pick(table, place) for table in _lines(quantiles))
        return coherent((low + share * width)[..., None])[..., 0]


def _lines(quantiles: Quantiles) -> tuple[np.ndarray, np.ndarray]:
    """Lower end and width of each interval, "*origin step variable interval"; outside, those of the outer two together.

    interval   0               1       2       3       4 (levels q0 q1 q2 q3)
    low        q0              q0      q1      q2      q3
    width      q2 − q0         q1 − q0 q2 − q1 q3 − q2 q3 − q1
    """
    first, last = quantiles[..., :1], quantiles[..., -1:]
    low = np.concatenate([first, quantiles], axis=-1)
    inner, outer = np.diff(quantiles, axis=-1), (quantiles[..., 2:3] - first, last - quantiles[..., -3:-2])
    return low, np.concatenate([outer[0], inner, outer[1]], axis=-1)


def _pick(
    table: Float[np.ndarray, "*origin step variable interval"], place: Int[np.ndarray, "*origin path step variable"]
) -> Float[np.ndarray, "*origin path step variable"]:
    """table[…, step, variable, place]: the table's last axis looked up by place, for all paths at once."""
    # Flat index = start of the (origin, step, variable) row + place; take on a flat array is the fastest gather.
    begin = np.arange(0, table.size, table.shape[-1]).reshape(*table.shape[:-3], 1, *table.shape[-3:-1])
    return np.ascontiguousarray(table).ravel().take(begin + place)
