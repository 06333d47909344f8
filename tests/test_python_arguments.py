"""What the functions of Python take: a ticker as it is, settings as a dict, dates of any kind."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.config.document import setting_texts
from forecaster.data.dates import DateLike, to_date
from forecaster.errors import ConfigError, InputError
from forecaster.workflows.train import TrainedRun

pytest_plugins = ("tests.studio_fixtures",)

DAYS: list[DateLike] = [
    "2012-06-29",
    "20120629",
    "2012-06-29 16:00:00",
    dt.date(2012, 6, 29),
    dt.datetime(2012, 6, 29, 23, 59),
    pd.Timestamp("2012-06-29", tz="Asia/Tokyo"),
    np.datetime64("2012-06-29"),
    np.datetime64("2012-06-29T12:00", "ns"),
]


@pytest.mark.parametrize("day", DAYS, ids=repr)
def test_a_day_may_be_given_in_any_form(day: DateLike) -> None:
    assert to_date(day, "as_of") == dt.date(2012, 6, 29)
    assert type(to_date(day, "as_of")) is dt.date


@pytest.mark.parametrize("day", ["yesterday", "2012-13-01", "", pd.NaT, np.datetime64("NaT")], ids=repr)
def test_what_is_no_day_is_refused_by_the_argument_s_name(day: DateLike) -> None:
    with pytest.raises(InputError, match=r"as_of is '.*', expected a date such as 2013-03-01"):
        to_date(day, "as_of")


def test_one_ticker_is_given_as_it_is(store: Path, runs_dir: Path, trained: TrainedRun, tmp_path: Path) -> None:
    (forecast,) = forecaster.predict("AAPL", data_dir=store, runs_dir=runs_dir)
    assert forecast.ticker == "AAPL"
    assert forecaster.load_panel("ibm", data_dir=store).tickers == ("IBM",)
    assert len(forecaster.candles_frame("AAPL", data_dir=store)) > 0
    assert forecaster.outputs("AAPL", runs_dir=runs_dir, data_dir=store, start="2013-02-25").ticker == "AAPL"
    (fetched,) = forecaster.fetch("MSFT", source="sample", data_dir=tmp_path / "own")
    assert (fetched.ticker, fetched.status) == ("MSFT", "new")


@pytest.mark.parametrize("day", DAYS[:1] + DAYS[3:7:3], ids=repr)
def test_each_function_takes_days_of_any_form(store: Path, runs_dir: Path, trained: TrainedRun, day: DateLike) -> None:
    (forecast,) = forecaster.predict("AAPL", as_of=day, data_dir=store, runs_dir=runs_dir)
    assert forecast.origin == np.datetime64("2012-06-29")
    panel = forecaster.load_panel("AAPL", data_dir=store, end=day)
    assert panel.dates[-1] == np.datetime64("2012-06-29")
    assert forecaster.outputs("AAPL", runs_dir=runs_dir, data_dir=store, end=day).dates[-1] == panel.dates[-1]
    assert forecaster.candles_frame("AAPL", data_dir=store, origin=day)["Close"].notna().all()
    parts = forecaster.windows(panel, context=5, horizon=1, until=day)
    assert parts.origin(len(parts) - 1)[1] == np.datetime64("2012-06-28")


def test_fetch_takes_days_of_any_form(tmp_path: Path) -> None:
    for number, day in enumerate(DAYS[:1] + DAYS[3:7:3]):
        (one,) = forecaster.fetch("IBM", source="sample", data_dir=tmp_path / str(number), start="2012-01-01", end=day)
        assert (one.first, one.last) == ("2012-01-03", "2012-06-29")
    with pytest.raises(InputError, match="start 2013-01-02 is after end 2012-06-29: swap them"):
        forecaster.fetch("IBM", source="sample", data_dir=tmp_path, start="2013-01-02", end="2012-06-29")


def test_settings_may_be_a_dict() -> None:
    texts = ["training.steps=7", "training.learning_rate=1e-05", "model.hidden_size=8", "data.tickers=[AAPL, IBM]"]
    nested = {
        "training": {"steps": np.int64(7), "learning_rate": 1e-5},
        "model.hidden_size": 8,
        "data": {"tickers": ("AAPL", "IBM")},
    }
    assert forecaster.load_config("gru", nested) == forecaster.load_config("gru", texts)
    assert forecaster.load_config("gru", "training.steps=7").training.steps == 7


@pytest.mark.parametrize("day", DAYS[3:7], ids=repr)
def test_days_and_nothing_and_truth_in_settings_are_what_they_are_in_python(day: DateLike) -> None:
    split = {"train_end": day, "validation_end": dt.date(2012, 9, 28), "test_end": "2013-02-28"}
    config = forecaster.load_config("gru", {"data.split": split, "calibration.rolling": True, "data.start": None})
    assert config.data.split.train_end == dt.date(2012, 6, 29)
    assert config.calibration.rolling is True


def test_a_wrong_setting_of_a_dict_is_told_of_like_any_other() -> None:
    with pytest.raises(ConfigError, match=r"data.start is '2012-13-01': expected a date"):
        forecaster.load_config("gru", {"data.start": "2012-13-01"})
    with pytest.raises(ConfigError, match=r"--set training.step=5: unknown key 'training.step'. Did you mean 'steps'"):
        forecaster.load_config("gru", {"training": {"step": 5}})


def test_a_dict_changes_a_section_and_replaces_a_model() -> None:
    assert setting_texts({"features": ["base"], "data": {}}) == ["features=[base]", "data={}"]
    assert setting_texts({"task": {"horizon": 3}, "model": {"name": "lstm", "hidden_size": 8}}) == [
        "task.horizon=3",
        "model={name: lstm, hidden_size: 8}",
    ]
    changed = forecaster.load_config("gru", {"task": {"horizon": 3}, "model": {"name": "lstm", "hidden_size": 8}})
    assert changed == forecaster.load_config("gru", ["task.horizon=3", "model={name: lstm, hidden_size: 8}"])
    assert forecaster.load_config("gru", {"data": {"tickers": ["NO", "0700"]}}).data.tickers == ("NO", "0700")


def test_training_takes_a_dict(store: Path, tmp_path: Path) -> None:
    quick = {
        "data": {
            "tickers": ["AAPL", "IBM", "MSFT"],
            "split": {"train_end": "2009-06-30", "validation_end": "2010-06-30", "test_end": dt.date(2011, 6, 30)},
        },
        "model.hidden_size": 8,
        "training": {"batch": 16, "device": "cpu", "steps": 2},
        "task.horizon": 3,
    }
    run = forecaster.train("gru", settings=quick, data_dir=store, runs_dir=tmp_path)
    assert run.looks == 1
