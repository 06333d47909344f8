"""Runs with covariates, from the config to the forecast: the same columns everywhere, and one line where they lack."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.config.load import to_yaml
from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.store import Store
from forecaster.errors import ConfigError, DataError, InputError
from forecaster.evaluation.canaries import FAILED
from forecaster.evaluation.look import model_of
from forecaster.runs.config import config_schema, load_config
from forecaster.runs.prepare import prepare, prepare_sealed
from forecaster.runs.run import Run
from forecaster.trial import Trial
from forecaster.walkforward.walk import Walk, load_walk, save_walk
from forecaster.workflows.backtest import backtest
from forecaster.workflows.doctor import doctor
from forecaster.workflows.grow import grow
from forecaster.workflows.outputs import outputs
from forecaster.workflows.predict import Failure, predict
from forecaster.workflows.rank import rank
from forecaster.workflows.report import report
from forecaster.workflows.reproduce import reproduce
from forecaster.workflows.risk import risk
from forecaster.workflows.train import TrainedRun, train
from forecaster.workflows.tune import tune
from tests.studio import QUICK, Answer, bars, on_days

pytest_plugins = ("tests.studio_fixtures",)

SETTINGS = (*QUICK, "training.steps=8", "data.tickers=[AAPL, IBM]", "covariates=[^N225, MSFT]")

END = np.datetime64("2013-03-01")
"""Last candle of the sample."""


def tokyo(ticker: str = "^N225", start: str = "2000-03-01", end: np.datetime64 = END) -> Bars:
    days = sessions("XTKS", np.datetime64(start), end)
    return replace(on_days(bars(ticker, len(days), 7), days), calendar="XTKS", timezone="Asia/Tokyo")


@pytest.fixture(scope="module")
def world(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample and an index of Tokyo."""
    folder = tmp_path_factory.mktemp("world") / "store"
    shutil.copytree(store, folder)
    Store(folder).write(tokyo(), source="test")
    return folder


@pytest.fixture(scope="module")
def run(world: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A run that reads Tokyo and Microsoft, averages its market and is calibrated."""
    settings = (*SETTINGS, "features=[base, vol, market]", "calibration={rolling: true, window: 60}")
    return train("gru", settings=settings, data_dir=world, runs_dir=tmp_path_factory.mktemp("runs"), name="wide")


@pytest.fixture
def own(world: Path, tmp_path: Path) -> Path:
    """A copy of the world that a test may change."""
    return Path(shutil.copytree(world, tmp_path / "own"))


def cut(folder: Path, ticker: str, start: str | None = None, end: str | None = None) -> None:
    """Leaves a ticker of a store only the candles between two dates."""
    first, last = (None if date is None else np.datetime64(date) for date in (start, end))
    one = Store(folder).read(ticker).between(first, last)
    Store(folder).path(ticker).unlink()
    Store(folder).write(one, source="test")


def test_the_model_file_names_the_columns_and_the_config_has_the_key(run: TrainedRun) -> None:
    header = Run.read(run.folder, run.folder.parent).header
    assert header.config.covariates == ("^N225", "MSFT")
    assert header.tickers == ("AAPL", "IBM")
    assert header.features[-6:-4] == ("covariates.^N225.level_252", "covariates.MSFT.log_scale")
    assert len(header.features) == 4 + 7 + 5 + 2 * 5
    assert load_config(run.folder / "config.yaml") == header.config


def test_a_run_without_covariates_has_the_bytes_it_had_before() -> None:
    config = load_config("gru")
    plain = config.model_dump(mode="json", exclude_none=True)
    assert "covariates" not in plain
    assert "covariates" not in to_yaml(config)
    assert Config.model_validate_json(json.dumps(plain)) == config
    assert "covariates" not in config.model_dump_json()
    assert model_of(load_config("gru", ["covariates=[^VIX]"])) != model_of(config)


@pytest.mark.parametrize("ticker", ["AAPL", "GOOG"])
def test_a_forecast_is_the_output_of_the_test_at_its_day(run: TrainedRun, world: Path, ticker: str) -> None:
    """From the last candles alone, and from whole histories: the covariates of both are the same."""
    dates = ("2011-03-01", "2011-03-10")
    plain = (*SETTINGS, "features=[base, vol]")
    made = train("gru", settings=plain, data_dir=world, runs_dir=run.folder.parent, name=f"plain-{ticker}")
    found = outputs(ticker, run=str(made.folder), start=dates[0], end=dates[1], data_dir=world)
    for place, day in enumerate(found.dates):
        (said,) = predict(ticker, run=str(made.folder), as_of=str(day), data_dir=world, offline=True)
        assert np.allclose(np.log(said.prices / said.last_close), found.quantiles[place], atol=1e-6), day


def test_what_a_covariate_does_after_the_close_is_no_part_of_a_forecast(
    run: TrainedRun, world: Path, own: Path
) -> None:
    """The first day on which Tokyo traded and was altered: New York's forecast of the day before stays, its own not."""
    day = np.datetime64("2011-03-10")
    one = Store(own).read("^N225")
    noise = np.where(one.dates >= day, np.exp(np.linspace(0, 30, len(one)) % 0.2), 1.0)
    prices = {name: getattr(one, name) * noise for name in ("open", "high", "low", "close", "adj_close")}
    Store(own).path("^N225").unlink()
    Store(own).write(replace(one, **prices), source="test")
    for as_of, same in ((day - 1, True), (day, False)):
        first, second = (
            predict("AAPL", run=str(run.folder), as_of=str(as_of), data_dir=folder)[0].prices for folder in (world, own)
        )
        assert np.array_equal(first, second) == same, as_of


def test_the_runs_own_test_is_scored_again_to_the_same_figures(run: TrainedRun, world: Path, tmp_path: Path) -> None:
    assert backtest(str(run.folder), data_dir=world, runs_dir=tmp_path).scorecard.rows == run.scorecard.rows
    assert reproduce(str(run.folder), data_dir=world).same
    assert report(str(run.folder), data_dir=world, runs_dir=tmp_path)
    assert backtest(str(run.folder), tickers=["GOOG"], data_dir=world, runs_dir=tmp_path).scorecard.tickers == 1


def peek(dates: np.ndarray, _calendar: str, days: np.ndarray, _other: str) -> np.ndarray:
    """The first session after each day, instead of the newest one known."""
    return np.minimum(np.searchsorted(dates, days, "right"), len(dates) - 1)


def test_the_doctor_finds_nothing_and_would_find_covariates_that_peek(
    run: TrainedRun, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed() -> set[str]:
        found = doctor(str(run.folder), data_dir=world)
        assert not any("not exactly those of the training" in note for note in found.notes)
        return {check.name for check in found.checks if check.part == "run" and check.status == FAILED}

    assert "look-ahead" not in failed()
    monkeypatch.setattr("forecaster.features.covariates.newest_known", peek)
    assert "look-ahead" in failed()


def test_folds_in_two_processes_give_what_one_gives(world: Path, tmp_path: Path) -> None:
    settings = (*SETTINGS, "training.steps=2", "features=[base, vol]")
    first, second = (
        backtest(
            "gru", settings=settings, refit_every=150, data_dir=world, runs_dir=tmp_path / f"{workers}", workers=workers
        )
        for workers in (1, 2)
    )
    assert first.refits > 1
    assert first.scorecard.rows == second.scorecard.rows


def test_a_walk_comes_back_with_its_covariates(world: Path, tmp_path: Path) -> None:
    trial = prepare(load_config("gru", SETTINGS), world)
    save_walk(Walk(tmp_path, trial, ()))
    assert load_walk(tmp_path).whole.panel.fingerprint == trial.panel.fingerprint


def test_a_search_reads_covariates_in_every_trial_but_not_their_test(world: Path, tmp_path: Path) -> None:
    space = "tune={trials: 2, pruner: none, space: {features: [[base, vol], [base]]}}"
    result = tune(
        "gru",
        settings=(*SETTINGS, "training.steps=2", "features=[base]", space),
        data_dir=world,
        runs_dir=tmp_path,
        output=tmp_path / "tuned.yaml",
        workers=1,
    )
    assert {one["state"] for one in result.as_data()["trials"]} == {"complete"}
    panel, split = prepare_sealed(load_config("gru", SETTINGS), world)
    assert [one.dates[-1] <= split.validation_end for one in panel.covariates] == [True, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: Store(folder).path("^N225").unlink(),
            "covariates has ^N225, expected tickers of the store: fetch what is missing, as in forecast fetch ^N225, "
            "or train without.",
        ),
        (
            lambda folder: cut(folder, "^N225", end="2013-02-08"),
            "covariates has ^N225, whose candles end on 2013-02-08, more than 14 days before AAPL's on 2013-03-01: "
            "fetch it (forecast fetch ^N225), or end the other candles where it does (data.end, --as-of).",
        ),
        (
            lambda folder: cut(folder, "^N225", start="2009-07-01"),
            "covariates has ^N225, whose candles begin on 2009-07-01, but training ends on 2009-06-30: fetch a longer "
            "history (forecast fetch ^N225), choose a later data.split, or train without.",
        ),
    ],
    ids=["missing", "ends early", "begins late"],
)
def test_a_covariate_that_cannot_be_used_is_one_line_with_the_remedy(
    own: Path, say: Callable[..., Answer], change: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    change(own)
    sets = [part for setting in SETTINGS for part in ("--set", setting)]
    answer = say("train", "gru", *sets, "--data-dir", own, "--runs-dir", tmp_path / "runs")
    assert (answer.code, answer.err.splitlines()[-1]) == (2, f"error: {message}")


def test_one_whose_candles_are_not_daily_or_lie_outside_the_dates_is_refused(own: Path) -> None:
    one = Store(own).read("MSFT")
    weekly = on_days(replace(one, ticker="WEEKLY"), one.dates[::5])
    Store(own).write(weekly, source="test")
    with pytest.raises(DataError, match="covariates has WEEKLY, whose candles are not daily"):
        prepare(load_config("gru", (*SETTINGS, "covariates=[WEEKLY]")), own)
    with pytest.raises(InputError, match="FB, which has no candles between the start and 2011-06-30: fetch a longer"):
        prepare(load_config("gru", (*SETTINGS, "covariates=[FB]", "data.end=2011-06-30")), own)


def test_one_that_begins_within_training_is_said_to_be_empty_before(own: Path) -> None:
    cut(own, "^N225", start="2005-01-04")
    said: list[str] = []
    trial = prepare(load_config("gru", SETTINGS), own, said.append)
    assert "note: the covariate ^N225 begins on 2005-01-04: its columns are 0 before" in said
    columns = [name.startswith("covariates.^N225.") for name in trial.dataset.features.names]
    values, days = trial.dataset.features.values[:, columns], trial.panel.sessions
    assert not values[days < np.datetime64("2005-01-04")].any()
    assert values[days > np.datetime64("2005-03-01")].std(axis=0).all()


@pytest.mark.parametrize("ticker", ["AAPL", "GOOG"])
def test_a_forecast_without_its_covariate_is_refused(run: TrainedRun, own: Path, ticker: str) -> None:
    Store(own).path("^N225").unlink()
    with pytest.raises(InputError, match=r"covariates has \^N225, expected .* as in forecast fetch \^N225"):
        predict(ticker, run=str(run.folder), data_dir=own, offline=True)


def test_a_forecast_from_long_after_its_end_is_refused_and_others_are_made(run: TrainedRun, own: Path) -> None:
    cut(own, "^N225", end="2011-09-30")
    cut(own, "IBM", end="2011-10-10")
    failures: list[Failure] = []
    made = predict(["AAPL", "IBM"], run=str(run.folder), data_dir=own, failed=failures.append)
    assert [one.ticker for one in made] == ["IBM"]
    assert str(failures[0].error).startswith(
        "covariates has ^N225, whose candles end on 2011-09-30, more than 14 days before AAPL's on 2013-03-01: fetch it"
    )


def test_rankings_and_risks_read_covariates_as_forecasts_do(run: TrainedRun, world: Path, own: Path) -> None:
    names = ["AAPL", "IBM"]
    forecasts = {one.ticker: one for one in predict(names, run=str(run.folder), data_dir=world)}
    ranking = rank(names, days=1, run=str(run.folder), data_dir=world)
    assert {row.ticker: row.volatility for row in ranking.rows} == {
        ticker: one.volatility[0] for ticker, one in forecasts.items()
    }
    assert risk({"AAPL": 10}, days=1, run=str(run.folder), data_dir=world).value_at_risk > 0
    cut(own, "^N225", end="2011-09-30")
    for ask in (
        lambda: rank(names, run=str(run.folder), days=1, data_dir=own),
        lambda: risk({"AAPL": 10}, days=1, run=str(run.folder), data_dir=own),
    ):
        with pytest.raises(InputError, match=r"covariates has \^N225, whose candles end on 2011-09-30"):
            ask()


def test_a_few_sessions_that_lack_are_a_warning(run: TrainedRun, own: Path) -> None:
    def warned() -> list[str]:
        (one,) = predict("AAPL", run=str(run.folder), data_dir=own)
        return [text for text in one.warnings if "covariate" in text]

    assert warned() == []
    cut(own, "^N225", end="2013-02-28")
    assert warned() == [
        "The covariate ^N225 lacks its newest session, after 2013-02-28: fetch it for a better forecast."
    ]
    cut(own, "^N225", end="2013-02-26")
    assert warned() == [
        "The covariate ^N225 lacks its newest 3 sessions, after 2013-02-26: fetch it for a better forecast."
    ]


def test_a_candle_fetched_for_a_covariate_is_seen_though_the_market_is_cached(run: TrainedRun, own: Path) -> None:
    """The corrections of the calibration depend on it, and they are kept in the run's folder."""
    before = predict("AAPL", run=str(run.folder), data_dir=own)[0]
    cut(own, "^N225", start="2012-06-01")
    assert not np.array_equal(predict("AAPL", run=str(run.folder), data_dir=own)[0].prices, before.prices)
    assert len(list((run.folder / "market").glob("*"))) >= 2


def test_a_run_with_covariates_grows_no_paths_from_its_own_candles(run: TrainedRun, world: Path) -> None:
    plain = train(
        "one_to_n", settings=(*SETTINGS[:1], *SETTINGS[1:2], *SETTINGS[3:], "task.decoder=direct"), data_dir=world,
        runs_dir=run.folder.parent, name="grows",
    )  # fmt: skip
    with pytest.raises(InputError, match=r"reads the covariates \^N225, MSFT, which a forecast candle does not have"):
        grow("AAPL", run=str(plain.folder), data_dir=world)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["covariates=[^VIX, ^VIX]"], "expected each ticker once"),
        (["covariates=^VIX"], "expected a list: write [^VIX]"),
        (["covariates=[^VIX]", "task.decoder=recursive", "features=[base]"], "covariates has ^VIX, but the decoder"),
        (["covariates=[^VIX]", "tune={space: {covariates: [[], [^VIX]]}}"], "tune.space.covariates cannot be searched"),
        (["covariate=[^VIX]"], "Did you mean 'covariates'"),
    ],
)
def test_a_config_that_cannot_be_is_refused_with_its_place(settings: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config("gru", settings)
    assert any(message in problem for problem in error.value.problems), error.value.problems


def test_the_schema_explains_the_key() -> None:
    described = config_schema()["properties"]["covariates"]
    assert described["items"] == {"type": "string"}
    assert "become features" in described["description"]


def test_weights_of_a_run_with_other_covariates_are_no_start(run: TrainedRun, world: Path, tmp_path: Path) -> None:
    settings = (*SETTINGS, "features=[base, vol, market]", "covariates=[MSFT]", f"training.init={run.folder}")
    with pytest.raises(InputError, match=r"its covariates are \[\^N225, MSFT\], this config's \[MSFT\]: use the same"):
        train("gru", settings=settings, data_dir=world, runs_dir=tmp_path)


def test_small_letters_are_the_same_ticker(world: Path) -> None:
    trial: Trial = prepare(load_config("gru", (*SETTINGS, "covariates=[msft]")), world)
    assert [one.ticker for one in trial.panel.covariates] == ["MSFT"]
