"""Forecasts of a trained run: for whom, from when, for which days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.inference.forecast import Forecast
from forecaster.modelfile import read_model
from forecaster.workflows.predict import Failure, exit_code, predict
from forecaster.workflows.train import TrainedRun
from tests.studio import assert_coherent

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., list[Forecast]]


@pytest.fixture
def ask(store: Path, trained: TrainedRun) -> Ask:
    def run(*tickers: str, data_dir: Path = store, **options: object) -> list[Forecast]:
        return predict(tickers, run=str(trained.folder), data_dir=data_dir, **options)  # type: ignore[arg-type]

    return run


def test_a_forecast_begins_at_the_newest_close(ask: Ask, store: Path) -> None:
    (forecast,) = ask("aapl")
    held = Store(store).read("AAPL")
    assert forecast.ticker == "AAPL"
    assert forecast.origin == held.dates[-1]
    assert forecast.last_close == held.close[-1]
    assert (forecast.currency, forecast.steps, forecast.run) == ("USD", (1, 2, 3), "small")
    assert forecast.prices.shape == (3, 4, 7)
    assert_coherent(forecast.prices)
    assert np.all(np.abs(forecast.prices / forecast.last_close - 1) < 0.5)
    assert np.array_equal(forecast.point, forecast.prices[..., 3])


def test_a_ticker_that_training_never_saw_is_forecast_and_said_so(ask: Ask) -> None:
    seen, unseen = ask("AAPL", "GOOG")
    assert_coherent(unseen.prices)
    assert any("GOOG was not among the 3 tickers of training" in text for text in unseen.warnings)
    assert not any("not among" in text for text in seen.warnings)


def test_as_of_says_what_was_said_then(ask: Ask, store: Path, tmp_path: Path) -> None:
    day = dt.date(2012, 6, 29)
    then = Store(tmp_path)
    then.write(Store(store).read("IBM").between(end=np.datetime64(day)), source="then")
    (now,) = ask("IBM", as_of=day)
    (said,) = ask("IBM", data_dir=tmp_path)
    assert np.array_equal(now.prices, said.prices)
    assert now.origin == said.origin == np.datetime64(day)
    assert now.as_data() == said.as_data()


def test_as_of_a_holiday_begins_at_the_close_before(ask: Ask) -> None:
    (forecast,) = ask("IBM", as_of=dt.date(2012, 7, 4))
    assert str(forecast.origin) == "2012-07-03"
    assert [str(date) for date in forecast.dates] == ["2012-07-05", "2012-07-06", "2012-07-09"]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (
            dt.date(2012, 10, 26),
            ["2012-10-29", "2012-10-30", "2012-10-31"],
        ),  # nobody knew that a hurricane would close it
        (dt.date(2011, 12, 22), ["2011-12-23", "2011-12-27", "2011-12-28"]),
    ],
)
def test_dates_are_sessions_of_the_exchange(ask: Ask, day: dt.date, expected: list[str]) -> None:
    (forecast,) = ask("AAPL", as_of=day)
    assert [str(date) for date in forecast.dates] == expected


@pytest.mark.parametrize(("day", "warned"), [(dt.date(2010, 6, 29), True), (dt.date(2010, 6, 30), False)])
def test_a_forecast_from_the_days_of_training_is_said_to_be_no_test(ask: Ask, day: dt.date, warned: bool) -> None:
    (forecast,) = ask("AAPL", as_of=day)
    assert forecast.as_data()["in_sample"] == forecast.in_sample
    assert forecast.in_sample == warned
    assert forecast.skill["verdict"].startswith("In-sample: ") == warned
    assert (forecast.skill["held"] == []) == warned, "what the bands held in the test says nothing about known days"


def test_old_candles_are_said_unless_they_were_asked_for(ask: Ask) -> None:
    assert any("candles end on 2013-03-01: fetch newer" in text for text in ask("AAPL")[0].warnings)
    assert not any("fetch newer" in text for text in ask("AAPL", as_of=dt.date(2013, 3, 1))[0].warnings)


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_a_shorter_horizon_keeps_the_same_numbers(ask: Ask, horizon: int) -> None:
    (whole,), (part,) = ask("AAPL"), ask("AAPL", horizon=horizon)
    assert part.steps == whole.steps[:horizon]
    assert np.array_equal(part.prices, whole.prices[:horizon])
    assert np.array_equal(part.dates, whole.dates[:horizon])


@pytest.mark.parametrize("horizon", [0, -1, 4])
def test_a_horizon_that_was_not_trained_is_refused(ask: Ask, horizon: int) -> None:
    with pytest.raises(InputError, match=rf"--horizon is {horizon}, but the run was trained for steps 1 to 3"):
        ask("AAPL", horizon=horizon)


def test_a_companion_does_not_change_a_forecast(ask: Ask) -> None:
    (alone,), among = ask("AAPL"), ask("FB", "GOOG", "AAPL")
    assert np.array_equal(among[2].prices, alone.prices), "not by a single bit"
    assert [one.ticker for one in among] == ["FB", "GOOG", "AAPL"]


def test_a_failure_is_told_and_the_others_are_forecast(ask: Ask) -> None:
    failures: list[Failure] = []
    forecasts = ask("AAPL", "APPL", failed=failures.append, offline=True)
    assert [one.ticker for one in forecasts] == ["AAPL"]
    assert [one.ticker for one in failures] == ["APPL"]
    assert "Did you mean 'AAPL'?" in str(failures[0].error)
    assert (exit_code(forecasts, failures), exit_code([], failures), exit_code(forecasts, [])) == (3, 2, 0)
    with pytest.raises(UnknownNameError):
        ask("AAPL", "APPL", offline=True)


def _young(store: Path, rows: int) -> Bars:
    whole = Store(store).read("AAPL")
    return replace(whole.between(end=whole.dates[rows - 1]), ticker="NEW")


@pytest.mark.parametrize("rows", [3, 60])
def test_too_short_a_history_is_one_line_with_the_remedy(ask: Ask, store: Path, tmp_path: Path, rows: int) -> None:
    Store(tmp_path).write(_young(store, rows), source="test")
    with pytest.raises(InputError, match=rf"NEW has {rows} candles, but a forecast needs 61: fetch"):
        ask("NEW", data_dir=tmp_path)
    with pytest.raises(InputError, match=r"NEW has 0 candles up to 1999-12-31"):
        ask("NEW", data_dir=tmp_path, as_of=dt.date(1999, 12, 31))


def test_the_shortest_history_that_will_do_is_said_to_be_thin(ask: Ask, store: Path, tmp_path: Path) -> None:
    Store(tmp_path).write(_young(store, 61), source="test")
    (forecast,) = ask("NEW", data_dir=tmp_path)
    assert any("NEW has only 61 candles" in text for text in forecast.warnings)


def test_prices_follow_the_scale_of_the_last_close(ask: Ask, store: Path, tmp_path: Path) -> None:
    """A dividend to come has lowered every adjusted price alike: the forecast speaks in prices of the day."""

    one = Store(store).read("IBM")
    Store(tmp_path).write(replace(one, adj_close=one.adj_close * 0.5), source="test")
    (lower,), (held,) = ask("IBM", data_dir=tmp_path), ask("IBM")
    np.testing.assert_allclose(lower.prices, held.prices, rtol=1e-6)


def test_the_skill_is_that_of_the_runs_test(ask: Ask, trained: TrainedRun) -> None:
    skill, verdict = ask("AAPL")[0].skill, trained.scorecard.verdict
    assert skill == {
        "verdict": verdict.brief,
        "baseline": verdict.hardest.baseline if verdict.hardest else None,
        "pinball_skill": verdict.pinball_skill,
        "p_value": verdict.p_value,
        "held": [{"step": one.step, "band": one.band, "held": one.held} for one in verdict.coverage],
    }
    model = read_model(trained.folder / "model.safetensors")
    config, header = model.config, model.header
    assert header.tickers == ("AAPL", "IBM", "MSFT")
    assert str(header.fitted_to) == "2010-06-30"  # the validation chose the step
    ends = (header.split.train_end, header.split.validation_end, header.split.test_end)
    assert [str(end) for end in ends] == ["2009-06-30", "2010-06-30", "2011-06-30"]
    assert config.task.steps == (1, 2, 3)
