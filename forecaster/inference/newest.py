"""Forecasts from each ticker's newest candle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Quantiles
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.market import MarketView, lookback_dataset
from forecaster.inference.sweep import Reach


def quantiles_in_market(
    members: Sequence[Member], config: Config, panel: Panel, view: MarketView | None
) -> Float[np.ndarray, "ticker horizon variable quantile"]:
    """Coherent, calibrated quantiles of log(price / last close), from each ticker's last candle.

    Args:
        view: what the run reads of its own tickers; without it nothing is calibrated.
    """
    origins = panel.lengths - 1
    dataset = lookback_dataset(members, config, panel, origins, view.means if view else None)
    rows = dataset.panel.offsets[1:] - 1
    newest = _forecast(members, config, dataset, rows)
    return _calibrate(newest, view, dataset, rows) if view and view.offsets else newest


def origin_days(panel: Panel) -> np.ndarray:
    """Dates of the tickers' last candles, unique and ascending."""
    days = panel.sessions[panel.offsets[1:] - 1]
    return np.unique(days, return_index=True)[0]  # without return_index numpy would import numpy.ma, 30 ms


def _forecast(members: Sequence[Member], config: Config, dataset: Dataset, rows: Rows) -> Quantiles:
    """Uncalibrated quantiles. Short histories run in their own batches, so that a ticker's bits depend on no other."""
    reach = Reach.newest(config.task)
    whole = rows - dataset.first_row[rows] >= reach.warm
    parts = [np.flatnonzero(whole), np.flatnonzero(~whole)]
    forecaster = ensemble(members, dataset, reach, config.weights)
    found = [forecaster(rows[part]) for part in parts if len(part)]
    # argsort of a permutation is its inverse: back to the order of the rows.
    joined: Quantiles = np.concatenate(found)[np.argsort(np.concatenate(parts))]
    return joined


def _calibrate(newest: Quantiles, view: MarketView, dataset: Dataset, rows: Rows) -> Quantiles:
    """Correct each forecast by the errors known on its own day."""
    sessions = dataset.panel.sessions[rows]
    corrected = newest.copy()
    for day, offsets in view.offsets.items():
        of_day = sessions == day
        corrected[of_day] = offsets.apply(newest[of_day], dataset, rows[of_day])
    return corrected
