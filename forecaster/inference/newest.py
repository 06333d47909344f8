"""The forecast from each ticker's newest candle."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Offsets, Quantiles, rolling_offsets
from forecaster.inference.ensemble import ensemble_quantiles
from forecaster.inference.offsetcache import OffsetCache
from forecaster.inference.sweep import Reach
from forecaster.models.network import Network


def newest_quantiles(
    networks: Sequence[Network],
    config: Config,
    panel: Panel,
    market: Panel | None = None,
    cache: OffsetCache | None = None,
) -> Float[np.ndarray, "ticker horizon variable quantile"]:
    """Coherent, calibrated quantiles of log(price / last close), seen from each ticker's last candle.

    Args:
        market: the run's own tickers, for the market's means and for the calibration.
        cache: where corrections are kept; without it they are computed each time.
    """
    features = compute_features(panel, config.features, market)
    dataset = Dataset(panel, features, config.task.steps)
    rows = panel.offsets[1:] - 1
    reach = Reach.of(config.task, span=1)
    # One ticker at a time: in a batch a forecast's last bits would depend on its companions.
    newest = np.concatenate([ensemble_quantiles(networks, dataset, rows[n : n + 1], reach) for n in range(len(rows))])
    if config.calibration.rolling and market is not None:
        newest = _calibrated(newest, networks, config, market, dataset, rows, cache)
    return newest


def _calibrated(
    newest: Quantiles,
    networks: Sequence[Network],
    config: Config,
    market: Panel,
    dataset: Dataset,
    rows: Rows,
    cache: OffsetCache | None,
) -> Quantiles:
    """Correct each forecast by the errors known on its own day: one day's are not mixed with another's."""
    sessions = dataset.panel.sessions[rows]
    corrected = newest.copy()
    compute = _calibration(networks, config, market)
    for day in np.unique(sessions):
        work = partial(compute, day)
        offsets = cache.get(market, config.calibration, day, work) if cache else work()
        of_day = sessions == day
        corrected[of_day] = offsets.apply(newest[of_day], dataset, rows[of_day])
    return corrected


def _calibration(networks: Sequence[Network], config: Config, market: Panel) -> Callable[[np.datetime64], Offsets]:
    """Day → corrections in force; the features of the whole market are computed once, when they are first needed."""
    reach = Reach.of(config.task)
    known = functools.cache(lambda: Dataset(market, compute_features(market, config.features), config.task.steps))

    def compute(day: np.datetime64) -> Offsets:
        return rolling_offsets(
            lambda origins: ensemble_quantiles(networks, known(), origins, reach),
            known(),
            config.calibration,
            config.task.levels,
            day,
            day,
            config.task.context,
        )

    return compute
