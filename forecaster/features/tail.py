"""The last candles of long histories, with the features that they have in the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Int
from forecaster.data.panel import Panel
from forecaster.features import GROUPS, lookback
from forecaster.features.blocks import asked_of, former_of, market_measures
from forecaster.features.candles import Market
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.features.state import Former


def tail_dataset(
    panel: Panel,
    groups: Sequence[str],
    steps: tuple[int, ...],
    valid: Int[np.ndarray, " ticker"],
    market: Market | None = None,
) -> Dataset:
    """A dataset of each ticker's last candles; whole histories where a group does not say how far it looks back.

    Features are computed from as far back as the groups look, and kept from the first candle that is asked of, or from
    a few before it that candles which follow may look back to.

    Args:
        valid: the first session of each ticker, counted from its start, whose features must be those of the whole
            history.
        market: what the market group reads; measured on the panel's tickers if absent.
    """
    lookbacks = [lookback(name) for name in groups]
    told = [one for one in lookbacks if one is not None]
    if len(told) < len(lookbacks):
        return Dataset(panel, compute_features(panel, groups, market), steps)
    remembered = asked_of(panel, [*(GROUPS[name] for name in groups), market_measures])
    valid = np.clip(valid, 0, panel.lengths - 1)
    oldest = _days_ago(panel, valid, max(one.days for one in told))
    sessions = max([remembered.lags, *(one.sessions for one in told)])
    # One row more than is looked back to: its running means are given, but its previous close is not.
    computed_from = np.maximum(oldest - sessions - 1, 0)
    kept_from = np.maximum(valid - remembered.lags - 1, 0)

    def former(rows: Int[np.ndarray, " ticker"]) -> Former:
        return former_of(panel, rows, remembered.means)

    features = compute_features(
        panel.select(panel.rows_since(computed_from)),
        groups,
        panel if market is None else market,
        former(computed_from),
        since=kept_from - computed_from,
    )
    return Dataset(panel.select(panel.rows_since(kept_from)), features, steps, lambda: former(kept_from))


def _days_ago(panel: Panel, places: Int[np.ndarray, " ticker"], days: int) -> Int[np.ndarray, " ticker"]:
    """The first session of each ticker that is at most so many days before the one at a place."""
    span, found = np.timedelta64(days, "D"), []
    for ticker, place in enumerate(places.tolist()):
        sessions = panel.sessions[panel.rows_of(ticker)]
        found.append(np.searchsorted(sessions, sessions[place] - span))
    return np.array(found)
