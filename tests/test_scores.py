"""A forecaster's losses over a period."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.evaluation import scores as scores_module
from forecaster.evaluation.metrics import pinball
from forecaster.evaluation.scorecard import make_scorecard
from forecaster.evaluation.scores import score
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows
from tests.studio import bars, dataset, panel

PERIOD = Period(np.datetime64("2010-05-03"), np.datetime64("2010-07-16"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(140, 120), (1, 5))


def forecaster(rows: Rows) -> np.ndarray:
    """Another forecast for each origin."""
    spread = 0.01 + 1e-5 * rows
    return spread[:, None, None, None] * np.linspace(-2, 2, 7) * np.ones((1, 2, 4, 1))


@pytest.mark.parametrize("block", [7, 16_384])
def test_losses_are_of_each_origin_whatever_the_blocks(
    data: Dataset, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(scores_module, "_BLOCK", block)
    rows = data.origins(PERIOD)
    found = score(forecaster, data, rows, PERIOD, LEVELS)
    assert np.array_equal(found.known, data.known(rows, PERIOD))
    known = found.known
    expected = pinball(forecaster(rows), np.nan_to_num(data.moves(rows)), LEVELS)
    np.testing.assert_array_equal(found.pinball[known], expected[known].astype(np.float32))
    np.testing.assert_allclose(found.error[known], np.abs(data.moves(rows)[known]), rtol=1e-6)
    assert all(band is not None and band.shape == (len(rows), 2, 4) for band in found.inside)
    assert not known.all(), "the last origins do not know their fifth step"


def test_wider_bands_hold_more(data: Dataset) -> None:
    found = score(forecaster, data, data.origins(PERIOD), PERIOD, LEVELS)
    shares = [band[found.known].mean() for band in found.inside if band is not None]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


def test_a_point_forecast_has_no_coverage(data: Dataset) -> None:
    rows = data.origins(PERIOD)
    found = score(lambda r: np.zeros((len(r), 2, 4, 1)), data, rows, PERIOD, (0.5,))
    assert found.inside == (None, None, None)
    np.testing.assert_allclose(found.pinball, found.error)


def test_where_trading_never_stops_the_open_is_known_and_not_scored() -> None:
    """Its open is the last close: a forecast of it would be right, and its band would hold everything."""
    coins = replace(bars("BTC-USD", 140), calendar="24/7")
    mixed = Panel.of([coins, bars("AAA", 140, seed=1)])
    data = Dataset(mixed, compute_features(mixed, ("base", "vol")), (1, 5))
    rows = data.origins(PERIOD)
    coin = data.panel.ticker_of_row[rows] == mixed.tickers.index("BTC-USD")
    found = score(forecaster, data, rows, PERIOD, LEVELS)
    wild = replace(found, pinball=found.pinball.copy(), error=found.error.copy())
    wild.pinball[coin, :, 0] = wild.error[coin, :, 0] = 1e6
    reference = score(lambda r: 1.5 * forecaster(r), data, rows, PERIOD, LEVELS)
    one, other = (
        make_scorecard({"gru": own, "walk": reference}, data.panel.sessions[rows], 2, data.steps)
        for own in (found, wild)
    )
    assert one.rows == other.rows
    alone = [row for row in one.rows if (row.name, row.variable, row.step) == ("gru", "open", 1)]
    assert alone[0].pinball == pytest.approx(found.pinball[~coin & found.known[:, 0], 0, 0].mean(), rel=1e-6)


def test_of_coins_alone_the_other_three_prices_are_scored() -> None:
    coins = Panel.of([replace(bars("BTC-USD", 140), calendar="24/7")])
    data = Dataset(coins, compute_features(coins, ("base", "vol")), (1, 5))
    rows = data.origins(PERIOD)
    scores = {"gru": score(forecaster, data, rows, PERIOD, LEVELS)}
    scores["walk"] = score(lambda r: 1.5 * forecaster(r), data, rows, PERIOD, LEVELS)
    card = make_scorecard(scores, data.panel.sessions[rows], 1, data.steps)
    skills = {row.variable: row.skill_pinball for row in card.rows if (row.name, row.step) == ("gru", "all")}
    assert skills["open"] is None
    assert skills["mean"] == pytest.approx(np.mean([skills[name] for name in ("high", "low", "close")]))
