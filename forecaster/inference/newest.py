"""The forecast from each ticker's newest candle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Quantiles, rolling_offsets
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
    reach = Reach.of(config.task, span=1)
    # One ticker at a time: in a batch a forecast's last bits would depend on its companions.
    newest = np.concatenate([ensemble_quantiles(networks, dataset, rows[n : n + 1], reach) for n in range(len(rows))])
    if config.calibration.rolling and market is not None:
        newest = _calibrated(newest, networks, config, market, dataset, rows)
    return newest


def _calibrated(
    newest: Quantiles, networks: Sequence[Network], config: Config, market: Panel, dataset: Dataset, rows: Rows
) -> Quantiles:
    """Correct each forecast by the errors known on its own day: one day's are not mixed with another's."""
    known = Dataset(market, compute_features(market, config.features), config.task.steps)
    reach, sessions = Reach.of(config.task), dataset.panel.sessions[rows]
    corrected = newest.copy()
    for day in np.unique(sessions):
        offsets = rolling_offsets(
            lambda origins: ensemble_quantiles(networks, known, origins, reach),
            known,
            config.calibration,
            config.task.levels,
            day,
            day,
            config.task.context,
        )
        of_day = sessions == day
        corrected[of_day] = offsets.apply(newest[of_day], dataset, rows[of_day])
    return corrected
