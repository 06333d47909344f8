"""The market's means: which tickers they are of, and where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import VARIABLES
from forecaster.data.panel import Panel
from forecaster.features.blocks import by_block, measure_market
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


def test_the_market_is_the_mean_of_its_tickers_where_they_trade() -> None:
    long, short = bars("T0", 200), bars("T1", 120, 5)
    of = [measure_market(Panel.of(some)) for some in ([long], [short], [long, short])]
    (first, second, both), dates = (one.means["XNYS"] for one in of), of[1].dates["XNYS"]
    shared = np.isin(of[0].dates["XNYS"], dates)
    np.testing.assert_allclose(both[shared], (first[shared] + second) / 2, rtol=1e-12)
    np.testing.assert_allclose(both[~shared], first[~shared], rtol=1e-12)


def test_the_market_has_fast_and_slow_volatility_relative_to_the_scale() -> None:
    of, half_lives = panel(200), (3.0, 66.0)
    market = measure_market(of).means["XNYS"]
    expected = by_block(of, lambda candles: np.log(candles.volatility(half_lives) / candles.scale[..., None]))
    for column, half_life in enumerate(half_lives):
        measured = market[:, MARKET_NAMES.index(f"log_scale_{half_life:g}")]
        np.testing.assert_allclose(measured, expected[-len(measured) :, column], rtol=1e-9, atol=1e-12)
