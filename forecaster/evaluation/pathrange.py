"""Scores the range of whole paths, which depends on how sessions move together: marginals do not determine it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from forecaster.axes import Float, Int
from forecaster.data.coherence import HIGH, LOW
from forecaster.data.splits import Period
from forecaster.evaluation.rows import Measure
from forecaster.evaluation.widths import compared
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.paths import PathMaker, Templates

_PATHS = 200
"""Paths drawn at each origin."""

_PATH_VALUES = 2**16
"""Prices of paths drawn at once: 0.5 MB of float64, which fit the cache and need no `mmap` of their own."""

_FORECAST = 2_048
"""Origins forecast at once: a network runs many tickers in one batch for little more than the cost of one."""


def path_ranges(
    forecasters: Sequence[tuple[str, Forecaster]],
    dataset: Dataset,
    rows: Rows,
    period: Period,
    templates: Templates | None,
    levels: tuple[float, ...],
) -> Iterator[Measure]:
    """Pinball loss of log(highest high / lowest low) over a path, model beside reference; nothing for a single step.

    Uses every `length`-th date, so that no session counts twice. Both draw the same templates at an origin.
    """
    if templates is None or (length := templates.shape[1]) < 2:
        return
    dates = dataset.panel.sessions[rows]
    chosen = np.isin(dates, np.unique(dates)[::length]) & dataset.known(rows, period)[:, length - 1]
    if not chosen.any():
        return
    rows, maker = rows[chosen], PathMaker.of(templates, levels)
    picks = np.random.default_rng(0).integers(len(maker), size=(len(rows), _PATHS), dtype=np.int32)
    losses = [_losses(one, dataset, rows, maker, picks, levels) for _, one in forecasters[:2]]
    (name, _), (reference, _) = forecasters[:2]
    known = np.ones(len(rows), bool)
    pair = (losses[0], losses[1])
    yield compared(name, "path-range", length, "pinball", pair, known, dates[chosen], reference, overlap=1)


def _losses(
    forecaster: Forecaster,
    dataset: Dataset,
    rows: Rows,
    maker: PathMaker,
    picks: Int[np.ndarray, "origin path"],
    levels: tuple[float, ...],
) -> Float[np.ndarray, " origin"]:
    length = maker.place.shape[1]
    parts = []
    for start in range(0, len(rows), _FORECAST):
        some = rows[start : start + _FORECAST]
        quantiles, drawn = forecaster(some)[:, :length], picks[start : start + _FORECAST]
        ranges = _ranges(quantiles, drawn, maker, levels)
        error = _range(dataset.moves(some)[:, :length]) - ranges
        # Twice the pinball loss, mean over levels: error is [quantile, origin].
        weights = np.asarray(levels)[:, None]
        parts.append(2 * np.maximum(weights * error, (weights - 1) * error).mean(axis=0))
    return np.concatenate(parts)


def _ranges(
    quantiles: Float[np.ndarray, "origin step variable quantile"],
    picks: Int[np.ndarray, "origin path"],
    maker: PathMaker,
    levels: tuple[float, ...],
) -> Float[np.ndarray, "quantile origin"]:
    """Quantiles of the range of paths drawn from each forecast."""
    _, length, variables, _ = quantiles.shape
    several = max(_PATH_VALUES // (_PATHS * length * variables), 1)
    blocks = [slice(start, start + several) for start in range(0, len(picks), several)]
    paths = (maker.map(quantiles[block], picks[block]) for block in blocks)
    return np.concatenate([np.quantile(_range(some), levels, axis=-1) for some in paths], axis=1)


def _range(moves: Float[np.ndarray, "*path step variable"]) -> Float[np.ndarray, "*path"]:
    """log(highest high / lowest low)."""
    spans: np.ndarray = moves[..., HIGH].max(axis=-1) - moves[..., LOW].min(axis=-1)
    return spans
