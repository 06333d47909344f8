"""The market's means: which tickers they are of, and where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import VARIABLES
from forecaster.data.panel import Panel
from forecaster.features.blocks import measure_market
from forecaster.features.candles import MARKET_NAMES
from forecaster.features.compute import compute_features
from tests.studio import bars, panel


def test_a_market_of_another_exchange_is_not_known_here() -> None:
    york, tokyo = panel(200), Panel.of([replace(bars("T1", 200, 5), calendar="XTKS")])
    both = Panel.of([bars("T0", 200), replace(bars("T1", 200, 5), calendar="XTKS")])
    alone = np.concatenate([compute_features(york, ("market",)).values, compute_features(tokyo, ("market",)).values])
    assert np.array_equal(compute_features(both, ("market",)).values, alone)
    assert set(measure_market(both).dates) == {"XNYS", "XTKS"}


def test_a_market_that_did_not_trade_is_zero() -> None:
    of, market = panel(100), panel(80)
    found = compute_features(of, ("market",), market).values
    assert np.all(found[80:] == 0)
    assert found[50:80].any()
    assert found.shape[1] == len(MARKET_NAMES)


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_a_jump_counts_as_four_daily_volatilities_at_most(factor: float) -> None:
    one, row = bars("T0", 200), 150
    jump = {name: getattr(one, name) * np.where(np.arange(200) < row, 1, factor) for name in (*VARIABLES, "adj_close")}
    market = measure_market(Panel.of([replace(one, **jump)]))
    moves, jumped = market.means["XNYS"][:, MARKET_NAMES.index("move")], market.dates["XNYS"] == one.dates[row]
    assert moves[jumped].tolist() == [4 if factor > 1 else -4]
