"""The look-ahead canary: later rows are changed, and in another run deleted; nothing said before may differ."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.bars import Bars
from forecaster.data.panel import read_panel
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.features import GROUPS
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, pooled_quantiles
from forecaster.workflows.train import TrainedRun, train

pytest_plugins = ("tests.studio_fixtures",)

DAY = np.datetime64("2011-03-18")


def changed(bars: Bars) -> Bars:
    """Every later candle is another: wilder, dearer, on no volume, with a split and a dividend."""
    later = bars.dates > DAY
    factor = np.where(later, np.exp(np.random.default_rng(0).normal(0.5, 0.2, len(bars))), 1.0)
    prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close", "adj_close")}
    return replace(bars, **prices, volume=np.where(later, 0.0, bars.volume), split=np.where(later, 2.0, bars.split))


def deleted(bars: Bars) -> Bars:
    return bars.between(end=DAY)


@pytest.fixture(scope="module", params=[changed, deleted])
def other_store(request: pytest.FixtureRequest, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, with another future or none; a ticker that began later is missing or changed as a whole."""
    other = Store(tmp_path_factory.mktemp(request.param.__name__))
    for ticker in Store(store).tickers():
        bars = request.param(Store(store).read(ticker))
        if len(bars):
            other.write(bars, source="canary")
    return other.root


@pytest.fixture(scope="module")
def everything(store: Path, runs_dir: Path, trained: TrainedRun) -> TrainedRun:
    """A run of the recipe in small: every feature group, two networks, refit, rolling calibration."""
    settings = (
        "data.tickers=[AAPL, IBM, MSFT]",
        "data.split={train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-03-18}",
        "members=[{name: gru, hidden_size: 4}, {name: lstm, hidden_size: 4}]",
        "task.horizon=[1, 3]",
        "training.steps=6",
        "training.batch=8",
        "training.device=cpu",
    )
    return train("best", settings=settings, data_dir=store, runs_dir=runs_dir, name="everything")


def dataset(store: Path) -> Dataset:
    panel = read_panel(Store(store), ["AAPL", "IBM", "MSFT", "GOOG"])
    return Dataset(panel, compute_features(panel, GROUPS.names()), (1, 5))


def test_features_at_a_day_are_blind_to_what_comes(store: Path, other_store: Path) -> None:
    one, other = dataset(store), dataset(other_store)
    known = [data.panel.sessions <= DAY for data in (one, other)]
    assert np.array_equal(one.features.values[known[0]], other.features.values[known[1]])
    assert np.array_equal(one.features.scale[known[0]], other.features.scale[known[1]])
    assert len(one.features.values) != len(other.features.values) or not np.array_equal(
        one.features.values, other.features.values
    ), "the canary must sing where the future is read"


def test_base_quantiles_of_training_are_blind_to_what_comes(store: Path, other_store: Path) -> None:
    pools = []
    for where in (store, other_store):
        data = dataset(where)
        pools.append(pooled_quantiles(data, Period(None, DAY), data.units, LEVELS))
    assert np.array_equal(*pools)


@pytest.mark.parametrize("run", ["small", "everything"])
def test_forecasts_as_of_a_day_are_blind_to_what_comes(
    store: Path, other_store: Path, runs_dir: Path, everything: TrainedRun, say: Callable[..., Any], run: str
) -> None:
    answers = [
        say(
            *("predict", "AAPL", "MSFT", "GOOG", "--run", run, "--as-of", str(DAY), "--format", "json"),
            *("--data-dir", where, "--runs-dir", runs_dir),
        )
        for where in (store, other_store)
    ]
    assert [answer.code for answer in answers] == [0, 0]
    assert answers[0].out == answers[1].out
    assert [forecast["origin"] for forecast in json.loads(answers[0].out)] == [str(DAY)] * 3


def test_the_forecast_without_as_of_does_change(
    store: Path, other_store: Path, runs_dir: Path, trained: TrainedRun, say: Callable[..., Any]
) -> None:
    places = ("--data-dir", other_store, "--runs-dir", runs_dir)
    now = say("predict", "AAPL", "--run", "small", "--format", "json", *places)
    then = say("predict", "AAPL", "--run", "small", "--as-of", dt.date(2011, 3, 17), "--format", "json", *places)
    assert now.code == then.code == 0
    assert json.loads(now.out)[0]["forecast"] != json.loads(then.out)[0]["forecast"]


def test_a_run_does_not_see_beyond_its_last_date(
    store: Path, other_store: Path, tmp_path: Path, everything: TrainedRun
) -> None:
    """Trained on the other store, with the same dates, the same weights, quantiles and scores come out."""
    settings = [
        f"data.split={{train_end: 2009-06-30, validation_end: 2010-06-30, test_end: {DAY}}}",
        *("data.tickers=[AAPL, IBM, MSFT]", "task.horizon=[1, 3]"),
        "members=[{name: gru, hidden_size: 4}, {name: lstm, hidden_size: 4}]",
        *("training.steps=6", "training.batch=8", "training.device=cpu"),
    ]
    again = train("best", settings=settings, data_dir=other_store, runs_dir=tmp_path, name="again")
    assert again.scorecard.stored() == everything.scorecard.stored()
    from forecaster.tensorfile import load_tensors

    first, second = (load_tensors(run.folder / "model.safetensors") for run in (everything, again))
    assert all(np.array_equal(first[0][name], second[0][name]) for name in first[0])
    assert {key for key in first[1] if first[1][key] != second[1][key]} == {"fingerprint"}
