"""training.through=latest: tested first, then refitted on everything; a forecast says which weights it used."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.modelfile import Model, read_model
from forecaster.workflows.backtest import backtest
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, Answer, bars

pytest_plugins = ("tests.studio_fixtures",)

TRAINING = (*QUICK, "training.steps=60", "training.warmup=10", "training.learning_rate=2e-2")
LATEST = "training.through=latest"


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("production")


@pytest.fixture(scope="module")
def plain(store: Path, runs_folder: Path) -> TrainedRun:
    return train("gru", settings=TRAINING, data_dir=store, runs_dir=runs_folder, name="plain")


@pytest.fixture(scope="module")
def latest(store: Path, runs_folder: Path) -> TrainedRun:
    return train("gru", settings=(*TRAINING, LATEST), data_dir=store, runs_dir=runs_folder, name="latest-one")


def model(run: TrainedRun) -> Model:
    return read_model(run.folder / "model.safetensors")


def test_what_was_tested_is_the_same_as_without_the_refit(plain: TrainedRun, latest: TrainedRun) -> None:
    assert latest.scorecard.stored() == plain.scorecard.stored()
    one, other = model(plain), model(latest)
    assert all(np.array_equal(value, other.tensors[name]) for name, value in one.tensors.items())
    assert one.header.refit is None
    assert other.header.refit is not None
    assert str(other.header.refit.fitted_to) == "2013-03-01"
    assert not np.array_equal(other.header.refit.base, other.header.base)
    assert not np.array_equal(other.tensors["production/0/readout.weight"], other.tensors["0/readout.weight"])


def test_the_refit_takes_the_steps_that_the_evaluation_fixed(store: Path, tmp_path: Path) -> None:
    said: list[str] = []
    little = "data.split={train_end: 2000-12-29, validation_end: 2001-12-31, test_end: 2002-12-31}"
    settings = (*TRAINING, LATEST, little, "training.learning_rate=0.05", "model.hidden_size=32", "training.steps=120")
    run = train("gru", settings=settings, data_dir=store, runs_dir=tmp_path, say=said.append)
    curve = [line.split(",") for line in (run.folder / "curve.csv").read_text().splitlines()[1:]]
    best = min(curve, key=lambda point: float(point[3]))[1]
    trained = [text for text in said if text.startswith("training gru for")]
    assert best != "120", "so little to learn from that more steps learn it by heart"
    assert [text.split()[3] for text in trained] == ["120", best]


def test_a_forecast_of_today_is_by_the_refitted_weights_and_one_of_a_known_day_by_the_tested_ones(
    plain: TrainedRun, latest: TrainedRun, store: Path
) -> None:
    def ask(run: TrainedRun, day: dt.date | None = None) -> tuple[str, str, np.ndarray, str]:
        (one,) = predict(["AAPL"], run=str(run.folder), data_dir=store, as_of=day)
        return one.weights, one.fitted_to, one.prices, " ".join(one.warnings)

    weights, fitted_to, prices, said = ask(latest)
    assert (weights, fitted_to) == ("production", "2013-03-01")
    assert "refitted on all candles to 2013-03-01; the skill was measured with those fitted to 2010-06-30" in said
    assert not np.array_equal(prices, ask(plain)[2])
    then = dt.date(2011, 3, 18)
    weights, fitted_to, prices, said = ask(latest, then)
    assert (weights, fitted_to) == ("evaluated", "2010-06-30")
    assert "The weights are the tested ones" in said
    assert np.array_equal(prices, ask(plain, then)[2])
    assert ask(plain)[:2] == ("evaluated", "2010-06-30")


def test_tickers_of_both_kinds_come_in_the_order_asked(latest: TrainedRun, store: Path, tmp_path: Path) -> None:
    from forecaster.data.store import Store

    mixed = Store(tmp_path)
    mixed.write(Store(store).read("AAPL"), source="test")
    mixed.write(Store(store).read("IBM").between(end=np.datetime64("2012-06-29")), source="test")
    found = predict(["IBM", "AAPL"], run=str(latest.folder), data_dir=tmp_path)
    assert [(one.ticker, one.weights) for one in found] == [("IBM", "evaluated"), ("AAPL", "production")]


def test_a_backtest_of_the_run_scores_the_tested_weights(latest: TrainedRun, store: Path, tmp_path: Path) -> None:
    again = backtest(str(latest.folder), data_dir=store, runs_dir=tmp_path)
    assert again.scorecard.stored() == latest.scorecard.stored()


def test_the_command_says_it_in_json_and_in_words(latest: TrainedRun, store: Path, say: Callable[..., Answer]) -> None:
    answer = say("predict", "AAPL", "--run", latest.folder, "--data-dir", store, "--format", "json")
    (one,) = json.loads(answer.out)
    assert (one["weights"], one["fitted_to"]) == ("production", "2013-03-01")
    assert "note: The weights were refitted on all candles" in answer.err


def test_a_market_that_trades_at_weekends_does_not_age_the_others(store: Path, tmp_path: Path) -> None:
    """Trained with a coin whose last candle is of a Sunday, a stock of the Friday before is still of today."""
    from forecaster.data.store import Store

    mixed, until = Store(tmp_path / "store"), np.datetime64("2012-12-28")
    mixed.write(Store(store).read("AAPL").between(end=until), source="test")
    coin = bars("COIN", 3300)
    days = np.datetime64("2012-12-30") - np.arange(len(coin))[::-1]
    mixed.write(replace(coin, dates=days, calendar="24/7", timezone="UTC"), source="test")
    settings = ("data.split={train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}", LATEST)
    train("har", settings=settings, data_dir=mixed.root, runs_dir=tmp_path, name="mixed")
    found = predict(["AAPL", "COIN"], run="mixed", data_dir=mixed.root, runs_dir=tmp_path)
    assert [one.weights for one in found] == ["production", "production"]


def test_what_the_market_lacks_is_told_of_tickers_on_the_same_calendar(store: Path, tmp_path: Path) -> None:
    """A coin has a candle on Sunday, and no stock of the run can have one."""
    from forecaster.data.store import Store

    mixed, friday = Store(tmp_path / "store"), np.datetime64("2012-12-28")
    for ticker in ("AAPL", "IBM", "MSFT"):
        mixed.write(Store(store).read(ticker).between(end=friday), source="test")
    for seed, ticker in enumerate(("COIN", "TOKEN")):
        coin = bars(ticker, 3300, seed)
        days = np.datetime64("2012-12-30") - np.arange(len(coin))[::-1]
        mixed.write(replace(coin, dates=days, calendar="24/7", timezone="UTC"), source="test")
    dates = "data.split={train_end: 2009-06-30, validation_end: 2010-06-30, test_end: 2011-06-30}"
    settings = (dates, "training.steps=2", "model.hidden_size=2", "features=[base, vol, market]")
    train("gru", settings=settings, data_dir=mixed.root, runs_dir=tmp_path, name="mixed")

    def lacking() -> dict[str, str]:
        found = predict(["AAPL", "COIN"], run="mixed", data_dir=mixed.root, runs_dir=tmp_path)
        return {one.ticker: " ".join(text for text in one.warnings if "that the run averages" in text) for one in found}

    assert lacking() == {"AAPL": "", "COIN": ""}
    for ticker, last in (("MSFT", "2012-12-20"), ("TOKEN", "2012-12-29")):
        mixed.write(mixed.read(ticker).between(end=np.datetime64(last)), source="test", force=True)
    told = lacking()
    assert told["AAPL"].startswith("1 of the 3 tickers that the run averages have no candle on 2012-12-28 (MSFT)")
    assert told["COIN"].startswith("1 of the 2 tickers that the run averages have no candle on 2012-12-30 (TOKEN)")
    mixed.path("IBM").unlink()  # on which calendar it was nobody can tell
    assert lacking() == told | {"AAPL": told["AAPL"].replace("of the 3", "of the 2")}


def test_a_ticker_that_the_store_lost_is_told_of_where_all_are_on_one_calendar(store: Path, tmp_path: Path) -> None:
    from forecaster.data.store import Store

    own = Store(tmp_path / "store")
    for ticker in ("AAPL", "IBM", "MSFT"):
        own.write(Store(store).read(ticker), source="test")
    settings = (*QUICK, "training.steps=2", "features=[base, vol, market]")
    train("gru", settings=settings, data_dir=own.root, runs_dir=tmp_path, name="stocks")
    own.path("IBM").unlink()
    (found,) = predict(["AAPL"], run="stocks", data_dir=own.root, runs_dir=tmp_path)
    (told,) = (text for text in found.warnings if "that the run averages" in text)
    assert told.startswith("1 of the 3 tickers that the run averages have no candle on 2013-03-01 (IBM)")
