"""The last candles of long histories, with the features that they have in the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Int
from forecaster.data.panel import Panel
from forecaster.features import GROUPS, lookback
from forecaster.features.blocks import ages, asked_of, former_of, market_measures
from forecaster.features.candles import Market
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.features.former import Former


def tail_dataset(
    panel: Panel,
    groups: Sequence[str],
    steps: tuple[int, ...],
    valid: Int[np.ndarray, " ticker"],
    market: Panel | Market | None = None,
) -> Dataset:
    """A dataset of each ticker's last candles; whole histories where a group does not say how far it looks back.

    Args:
        valid: the first session of each ticker, counted from its start, whose features must be those of the whole
            history; a few rows before it are there for candles that follow.
        market: as of `compute_features`.
    """
    lookbacks = [lookback(name) for name in groups]
    known = [one for one in lookbacks if one is not None]
    if len(known) < len(lookbacks):
        return Dataset(panel, compute_features(panel, groups, market), steps)
    remembered = asked_of(panel, [*(GROUPS[name] for name in groups), market_measures])
    first = _days_ago(panel, valid, max(one.days for one in known))
    # One row more: its running means are given, but its previous close is not.
    begin = np.maximum(first - max(*(one.sessions for one in known), remembered.lags) - 1, 0)
    kept = np.maximum(valid - remembered.lags - 1, 0)

    def since(rows: Int[np.ndarray, " ticker"]) -> Panel:
        return panel.taking(ages(panel) >= rows[panel.ticker_of_row])

    def former(rows: Int[np.ndarray, " ticker"]) -> Former:
        return former_of(panel, rows, remembered.means)

    features = compute_features(since(begin), groups, market, former(begin), kept - begin)
    return Dataset(since(kept), features, steps, lambda: former(kept))


def _days_ago(panel: Panel, places: Int[np.ndarray, " ticker"], days: int) -> Int[np.ndarray, " ticker"]:
    """The first session of each ticker that is at most so many days before the one at a place."""
    span, found = np.timedelta64(days, "D"), []
    for ticker, place in enumerate(places.tolist()):
        sessions = panel.sessions[panel.rows_of(ticker)]
        found.append(np.searchsorted(sessions, sessions[min(place, len(sessions) - 1)] - span))
    return np.array(found)
