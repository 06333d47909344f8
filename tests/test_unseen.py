"""A finished run scored, as it is, on tickers that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.baselines import FORMULAS
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.inference.foreign import needed
from forecaster.runs.run import Run
from forecaster.runs.unseen import as_predicted, unseen_trial
from forecaster.workflows.backtest import backtest
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)


@pytest.fixture
def held(store: Path, tmp_path: Path) -> Path:
    """GOOG and FB, and IBM's candles as those of a coin: on a market that the run was not trained on."""
    folder = tmp_path / "held"
    for ticker in ("GOOG", "FB"):
        Store(folder).write(Store(store).read(ticker), source="test")
    young = Store(store).read("FB")
    Store(folder).write(replace(young.between(end=young.dates[149]), ticker="NEW"), source="test")
    coin = Store(store).read("IBM")
    days = coin.dates[0] + np.arange(len(coin)).astype("timedelta64[D]")
    Store(folder).write(replace(coin, ticker="IBM-USD", calendar="24/7", timezone="UTC", dates=days), source="test")
    return folder


def test_a_run_is_tested_from_the_day_after_its_weights_were_fitted(held: Path, trained: TrainedRun) -> None:
    result = backtest(str(trained.folder), tickers=["goog"], data_dir=held)
    card = result.scorecard
    assert (card.first, card.tickers, card.in_sample) == ("2010-07-01", 1, None)
    assert card.last > "2013-02-20", "to the end of the candles, not of the run's own test"
    assert {row.name for row in card.rows} == {"gru", *FORMULAS, "last-close"}
    assert result.looks == 1
    assert backtest(str(trained.folder), tickers=["GOOG"], data_dir=held).scorecard == card, "and no second look"


@pytest.mark.parametrize("ticker", ["GOOG", "IBM-USD"])
def test_what_is_scored_is_what_predict_says(held: Path, trained: TrainedRun, ticker: str) -> None:
    run = Run.find(trained.folder.parent, str(trained.folder))
    unseen = unseen_trial(run, Store(held), [ticker])
    rows = unseen.trial.test_rows[:30:25]
    found = as_predicted(run, Store(held), unseen)(rows)
    for row, quantiles in zip(rows, found, strict=True):
        day = str(unseen.trial.panel.sessions[row])
        (said,) = predict(ticker, run=str(trained.folder), data_dir=held, as_of=day)
        assert np.allclose(np.log(said.prices / said.last_close), quantiles, atol=1e-6), day


def test_a_market_that_the_run_does_not_know_is_forecast_by_its_own_formula(held: Path, trained: TrainedRun) -> None:
    (coin,) = predict("IBM-USD", run=str(trained.folder), data_dir=held)
    assert coin.weights == "har"
    assert coin.fitted_to == str(coin.origin)
    assert coin.skill["verdict"] == (
        "Not tested: IBM-USD trades by the calendar 24/7, which run small was not trained on; a simple formula (har), "
        "fitted to its own candles, answers instead."
    )
    assert coin.skill["held"] == []
    assert not any("was not among" in text for text in coin.warnings)
    (stock,) = predict("GOOG", run=str(trained.folder), data_dir=held)
    assert stock.weights == "evaluated"
    with_paths = predict("IBM-USD", run=str(trained.folder), data_dir=held, paths=50)[0]
    assert with_paths.paths is not None
    assert with_paths.paths.shape == (50, 3, 4)


def test_the_formula_reads_nothing_after_the_origin(held: Path, trained: TrainedRun) -> None:
    day = "2005-03-01"
    (before,) = predict("IBM-USD", run=str(trained.folder), data_dir=held, as_of=day)
    whole = Store(held).read("IBM-USD")
    Store(held).write(replace(whole.between(end=np.datetime64(day)), ticker="CUT-USD"), source="test")
    (cut,) = predict("CUT-USD", run=str(trained.folder), data_dir=held)
    assert np.array_equal(before.prices, cut.prices)


def test_a_history_that_ends_before_the_cut_off_is_in_sample(
    store: Path, held: Path, trained: TrainedRun, tmp_path: Path
) -> None:
    old = Store(tmp_path / "old")
    old.write(Store(store).read("IBM").between(end=np.datetime64("2009-12-31")), source="test")
    result = backtest(str(trained.folder), tickers=["IBM"], data_dir=old.root)
    assert result.scorecard.in_sample == "2010-06-30"
    assert result.verdict.code != "skill"
    assert result.as_data()["verdict"]["text"].startswith("In-sample, no test of weights fitted up to 2010-06-30")
    assert "on days that its weights have seen" in result.verdict.lines[0]


def test_a_young_coin_is_tested_from_the_day_its_formula_can_be_fitted(
    store: Path, held: Path, trained: TrainedRun
) -> None:
    """Beside a stock with a long history the test begins before the coin has enough candles."""
    coin = Store(store).read("IBM")
    young = coin.between(start=np.datetime64("2010-09-01"))
    days = young.dates[0] + np.arange(len(young)).astype("timedelta64[D]")
    Store(held).write(replace(young, ticker="NEW-USD", calendar="24/7", timezone="UTC", dates=days), source="test")
    result = backtest(str(trained.folder), tickers=["GOOG", "NEW-USD"], data_dir=held)
    alone = backtest(str(trained.folder), tickers=["GOOG"], data_dir=held)
    first = unseen_trial(Run.find(trained.folder.parent, str(trained.folder)), Store(held), ["GOOG", "NEW-USD"]).trial
    rows = first.test_rows[first.panel.ticker_of_row[first.test_rows] == 1]
    assert rows.min() - first.panel.offsets[1] == needed((1, 2, 3)) - 1
    assert result.scorecard.origins == alone.scorecard.origins + len(rows)
    assert result.scorecard.notes[0] == (
        "NEW-USD: of markets that run small was not trained on, so har, fitted to each of them alone, is what the row "
        "gru scores."
    )


def test_each_verdict_names_its_tickers(held: Path, trained: TrainedRun, say: Callable[..., Answer]) -> None:
    places = ("--data-dir", held, "--runs-dir", trained.folder.parent, "--run", "small")
    said = " ".join(say("predict", "GOOG", "FB", "IBM-USD", *places).out.split())
    assert "GOOG, FB: Run small. " in said
    assert "Run small. Not tested: IBM-USD trades by the calendar 24/7" in said
    alone = " ".join(say("predict", "GOOG", *places).out.split())
    assert "GOOG: Run" not in alone


def test_too_short_a_history_and_an_unknown_ticker_are_named(held: Path, trained: TrainedRun) -> None:
    with pytest.raises(InputError, match=r"NEW has 150 candles, but a test beside formulas .* needs 198: fetch"):
        backtest(str(trained.folder), tickers=["GOOG", "NEW"], data_dir=held)
    with pytest.raises(UnknownNameError, match=r"Unknown ticker 'AAPL'"):
        backtest(str(trained.folder), tickers=["AAPL"], data_dir=held)


def test_the_command_takes_tickers_in_one_word_or_in_several(forecast: object, held: Path, trained: TrainedRun) -> None:
    assert callable(forecast)
    once = forecast("backtest", trained.folder, "--tickers", "GOOG,IBM-USD", "--data-dir", held, "--format", "json")
    twice = forecast(
        "backtest", trained.folder, "--tickers", "GOOG", "--tickers", "IBM-USD", "--data-dir", held, "--format", "json"
    )
    assert (once.returncode, once.stdout) == (0, twice.stdout)
