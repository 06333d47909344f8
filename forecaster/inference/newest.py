"""The forecast from each ticker's newest candle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.inference.calibration import Offsets, rolling_offsets
from forecaster.inference.ensemble import ensemble_quantiles
from forecaster.inference.sweep import Reach
from forecaster.models.network import Network


def newest_quantiles(
    networks: Sequence[Network], config: Config, panel: Panel, market: Panel | None = None
) -> Float[np.ndarray, "ticker horizon variable quantile"]:
    """Coherent, calibrated quantiles of log(price / last close), seen from each ticker's last candle.

    Args:
        market: the run's own tickers, for the market's means and for the calibration.
    """
    features = compute_features(panel, config.features, market)
    dataset = Dataset(panel, features, config.task.steps)
    rows = panel.offsets[1:] - 1
    newest = ensemble_quantiles(networks, dataset, rows, Reach.of(config.task, span=1))
    if not config.calibration.rolling or market is None:
        return newest
    return _offsets(networks, config, market, panel.sessions[rows]).apply(newest, dataset, rows)


def _offsets(networks: Sequence[Network], config: Config, market: Panel, origins: np.ndarray) -> Offsets:
    dataset = Dataset(market, compute_features(market, config.features), config.task.steps)
    reach = Reach.of(config.task)
    return rolling_offsets(
        lambda rows: ensemble_quantiles(networks, dataset, rows, reach),
        dataset,
        config.calibration,
        config.task.levels,
        origins.min(),
        origins.max(),
        config.task.context,
    )
