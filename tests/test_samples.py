"""Joint paths from Python: an array, a frame, a covariance that optimisers take as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import forecaster
from forecaster.errors import InputError
from forecaster.workflows.train import TrainedRun
from tests.studio import assert_coherent

pytest_plugins = ("tests.studio_fixtures",)

THREE = ["AAPL", "IBM", "MSFT"]


@pytest.fixture
def places(store: Path, trained: TrainedRun) -> dict[str, object]:
    return {"run": str(trained.folder), "data_dir": store}


def test_samples_are_an_array_and_a_frame(places: dict[str, object]) -> None:
    found = forecaster.samples(THREE, days=3, paths=50, **places)  # type: ignore[arg-type]
    assert found.tickers == tuple(THREE)
    assert found.prices.shape == (50, 3, 3, 4)
    assert_coherent(found.prices[..., None])
    frame = forecaster.to_frame(found)
    assert list(frame.columns) == ["path", "ticker", "step", "date", "open", "high", "low", "close"]
    assert len(frame) == 50 * 3 * 3
    row = frame[(frame.path == 7) & (frame.ticker == "IBM") & (frame.step == 2)].iloc[0]
    assert [row.open, row.high, row.low, row.close] == found.prices[6, 1, 1].tolist()
    assert str(row.date.date()) == "2013-03-05"


def test_a_covariance_is_that_of_the_samples_returns(places: dict[str, object]) -> None:
    found = forecaster.covariance(THREE, days=3, paths=4_000, **places)  # type: ignore[arg-type]
    assert list(found.index) == list(found.columns) == THREE
    assert np.linalg.eigvalsh(found.to_numpy()).min() > 0
    joint = forecaster.samples(THREE, days=3, paths=4_000, **places)  # type: ignore[arg-type]
    last = np.array([one.last_close for one in joint.forecasts])
    returns = joint.prices[:, :, -1, 3] / last - 1
    spread = np.sqrt(np.diag(found.to_numpy()))
    np.testing.assert_allclose(spread, returns.std(axis=0, ddof=1), rtol=0.01)
    correlation = found.to_numpy() / np.outer(spread, spread)
    np.testing.assert_allclose(correlation, np.corrcoef(returns, rowvar=False), atol=0.05)
    assert correlation[0, 1] > 0.2


def test_one_ticker_has_a_covariance_of_one_cell(places: dict[str, object]) -> None:
    assert forecaster.covariance("IBM", **places).shape == (1, 1)  # type: ignore[arg-type]


def test_no_ticker_and_no_path_are_refused(places: dict[str, object]) -> None:
    with pytest.raises(InputError, match="there are no tickers: name at least one"):
        forecaster.samples([], **places)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--paths is 0: expected at least 1"):
        forecaster.samples(THREE, paths=0, **places)  # type: ignore[arg-type]


def test_a_ranking_is_a_frame_of_its_rows(places: dict[str, object]) -> None:
    frame = forecaster.to_frame(forecaster.rank(THREE, **places))  # type: ignore[arg-type]
    assert set(frame.ticker) == set(THREE)
    assert frame.place.tolist() == [1, 2, 3]
