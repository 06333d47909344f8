"""N-to-N and 1-to-N from Python: an output for each input candle, and paths grown from a few candles."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import forecaster
from forecaster.errors import InputError
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, assert_coherent

pytest_plugins = ("tests.studio_fixtures",)


@pytest.fixture(scope="module")
def places(store: Path, runs_dir: Path) -> dict[str, Path]:
    return {"data_dir": store, "runs_dir": runs_dir}


@pytest.fixture(scope="module")
def growing(store: Path, runs_dir: Path, trained: TrainedRun) -> TrainedRun:
    """A run that reads candles alone, and knows one step; uncalibrated, as outputs are."""
    settings = (*QUICK, "training.steps=20", "task.context=20", "calibration.rolling=false")
    return train("n_to_m_recursive", settings=settings, data_dir=store, runs_dir=runs_dir, name="growing")


def test_every_candle_has_its_forecast(places: dict[str, Path], trained: TrainedRun) -> None:
    found = forecaster.outputs("IBM", run="small", start=dt.date(2012, 1, 3), **places)
    assert found.quantiles.shape == (len(found.dates), 3, 4, 7)
    assert str(found.dates[0]) == "2012-01-03"
    assert np.all(np.diff(found.dates) > np.timedelta64(0))
    assert_coherent(found.prices)


@pytest.mark.parametrize("run", ["small", "growing"])
def test_it_is_the_forecast_that_was_made_on_its_day(
    places: dict[str, Path], trained: TrainedRun, growing: TrainedRun, run: str
) -> None:
    days = [dt.date(2012, 6, 29), dt.date(2012, 7, 12)]
    found = forecaster.outputs("AAPL", run=run, start=days[0], end=days[1], **places)
    for place, day in ((0, days[0]), (-1, days[1])):
        (then,) = forecaster.predict(["AAPL"], run=run, as_of=day, **places)
        assert found.dates[place] == then.origin
        np.testing.assert_allclose(np.exp(found.quantiles[place]), then.prices / then.last_close, rtol=1e-5)
    assert found.close[-1] == pytest.approx(then.last_close)


def test_dates_without_candles_are_refused(places: dict[str, Path], trained: TrainedRun) -> None:
    with pytest.raises(InputError, match="IBM has no candle from 2020-01-01 to None with enough others before it"):
        forecaster.outputs("IBM", run="small", start=dt.date(2020, 1, 1), **places)


@pytest.mark.parametrize("context", [1, 2, 60])
def test_paths_grow_from_the_last_candles_and_know_no_others(
    places: dict[str, Path], growing: TrainedRun, context: int
) -> None:
    ask = {"run": "growing", "context": context, "paths": 50, "steps": 8, "seed": 3, **places}
    found = forecaster.grow("AAPL", **ask)  # type: ignore[arg-type]
    assert found.prices.shape == (50, 8, 4)
    assert_coherent(found.prices[..., None])
    assert str(found.dates[0]) == "2013-03-04"
    assert np.array_equal(found.prices, forecaster.grow("AAPL", **ask).prices)  # type: ignore[arg-type]
    assert len(np.unique(found.prices[:, 0, 3])) > 40


def test_a_path_from_one_candle_is_the_same_whatever_came_before_it(
    places: dict[str, Path], growing: TrainedRun, tmp_path: Path
) -> None:
    from dataclasses import replace

    from forecaster.data.store import Store

    whole = Store(places["data_dir"]).read("IBM")
    other = replace(whole.between(whole.dates[-2]), ticker="IBM")
    Store(tmp_path).write(other, source="test")
    asks = [places, places | {"data_dir": tmp_path}]
    both = [forecaster.grow("IBM", run="growing", context=1, paths=5, **ask).prices for ask in asks]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-6)


def test_what_cannot_grow_is_refused_with_the_remedy(
    places: dict[str, Path], growing: TrainedRun, trained: TrainedRun
) -> None:
    with pytest.raises(InputError, match="run small reads volume, which a forecast candle does not have"):
        forecaster.grow("AAPL", run="small", **places)
    with pytest.raises(InputError, match=r"context is 5000, but AAPL has 3270 candles.* choose 1 to 3269"):
        forecaster.grow("AAPL", run="growing", context=5000, **places)
