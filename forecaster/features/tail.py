"""A dataset of the last candles of long histories, whose features equal those of the whole histories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster import mapped
from forecaster.axes import Int
from forecaster.data.panel import Panel
from forecaster.features import GROUPS, lookback
from forecaster.features.blocks import ewma_state_of, market_measures, requirements_of
from forecaster.features.candles import Market
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.features.state import EwmaState


def tail_dataset(
    panel: Panel,
    groups: Sequence[str],
    steps: tuple[int, ...],
    valid: Int[np.ndarray, " ticker"],
    market: Market | None = None,
) -> Dataset:
    """A dataset of each ticker's last candles; of whole histories if a group does not declare its lookback.

    Features are computed from as far back as the groups look. They are kept from the first valid session on, and for a
    few sessions before it, which candles appended later may look back to.

    Args:
        valid: first session of each ticker, counted from its start, whose features must equal those of the whole
            history.
        market: market means; measured on the panel's tickers if absent.
    """
    lookbacks = [lookback(name) for name in groups]
    declared = [one for one in lookbacks if one is not None]
    if len(declared) < len(lookbacks):
        return Dataset(panel, compute_features(panel, groups, market), steps)
    required = requirements_of(panel, [*(GROUPS[name] for name in groups), market_measures])
    valid = np.clip(valid, 0, panel.lengths - 1)
    # The two add up (see `Lookback`): back by calendar days first, then by sessions.
    oldest = _days_ago(panel, valid, max(one.days for one in declared))
    sessions = max([required.lags, *(one.sessions for one in declared)])
    # One row more than the lookback: its running means are given, but it has no previous close.
    computed_from = np.maximum(oldest - sessions - 1, 0)
    kept_from = np.maximum(valid - required.lags - 1, 0)

    def ewma_state(rows: Int[np.ndarray, " ticker"]) -> EwmaState:
        return ewma_state_of(panel, rows, required.means)

    features = compute_features(
        panel.select(panel.rows_since(computed_from)),
        groups,
        # Whole histories: the market's means need the past that the selected rows lack.
        panel if market is None else market,
        ewma_state(computed_from),
        # Counted from the first row that is computed, not from the start of the history.
        since=kept_from - computed_from,
        allocate=(mapped.empty, mapped.empty),
    )
    return Dataset(panel.select(panel.rows_since(kept_from)), features, steps, lambda: ewma_state(kept_from))


def _days_ago(panel: Panel, places: Int[np.ndarray, " ticker"], days: int) -> Int[np.ndarray, " ticker"]:
    """Position of each ticker's first session at most `days` days before the session at its place."""
    span, found = np.timedelta64(days, "D"), []
    for ticker, place in enumerate(places.tolist()):
        sessions = panel.sessions[panel.rows_of(ticker)]
        found.append(np.searchsorted(sessions, sessions[place] - span))
    return np.array(found)
