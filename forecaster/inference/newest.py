"""The forecast from each ticker's newest candle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Quantiles
from forecaster.inference.ensemble import Member, ensemble
from forecaster.inference.market import MarketView, read_back, view_market
from forecaster.inference.offsetcache import OffsetCache
from forecaster.inference.sweep import Reach


def newest_quantiles(
    members: Sequence[Member],
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
    view = None if market is None else view_market(members, config, market, origin_days(panel), cache)
    return viewed_quantiles(members, config, panel, view)


def viewed_quantiles(
    members: Sequence[Member], config: Config, panel: Panel, view: MarketView | None
) -> Float[np.ndarray, "ticker horizon variable quantile"]:
    """As `newest_quantiles`, with a market that is known already; without one nothing is calibrated."""
    origins = panel.lengths - 1
    dataset = read_back(members, config, panel, origins, view.means if view else None)
    rows = dataset.panel.offsets[1:] - 1
    newest = _in_lanes(members, config, dataset, rows)
    return _calibrated(newest, view, dataset, rows) if view and view.offsets else newest


def origin_days(panel: Panel) -> np.ndarray:
    """The days from which a panel's tickers are forecast, ascending."""
    days = panel.sessions[panel.offsets[1:] - 1]
    return np.unique(days, return_index=True)[0]  # without the index it would import numpy.ma, in 30 ms


def _in_lanes(members: Sequence[Member], config: Config, dataset: Dataset, rows: Rows) -> Quantiles:
    """Short histories apart from whole ones: a ticker has the same work alone and among others."""
    reach = Reach.newest(config.task)
    whole = rows - dataset.first_row[rows] >= reach.warm
    parts = [np.flatnonzero(whole), np.flatnonzero(~whole)]
    forecaster = ensemble(members, dataset, reach, config.weights)
    found = [forecaster(rows[part]) for part in parts if len(part)]
    joined: Quantiles = np.concatenate(found)[np.argsort(np.concatenate(parts))]
    return joined


def _calibrated(newest: Quantiles, view: MarketView, dataset: Dataset, rows: Rows) -> Quantiles:
    """Correct each forecast by the errors known on its own day: one day's are not mixed with another's."""
    sessions = dataset.panel.sessions[rows]
    corrected = newest.copy()
    for day, offsets in view.offsets.items():
        of_day = sessions == day
        corrected[of_day] = offsets.apply(newest[of_day], dataset, rows[of_day])
    return corrected
