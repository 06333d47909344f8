"""What `train` and `predict` give to programs and to people, each on its own stream."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, assert_coherent, settings

pytest_plugins = ("tests.studio_fixtures",)

LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
PRICES = ("open", "high", "low", "close")
Ask = Callable[..., Answer]


@pytest.fixture
def predict(say: Ask, store: Path, runs_dir: Path, trained: TrainedRun) -> Ask:
    return lambda *more: say("predict", *more, "--run", "small", "--data-dir", store, "--runs-dir", runs_dir)


@pytest.fixture
def train(say: Ask, store: Path, tmp_path: Path) -> Ask:
    quick = settings("training.steps=3", "model.hidden_size=2")
    return lambda *more: say("train", "gru", *quick, "--data-dir", store, "--runs-dir", tmp_path, *more)


def test_predict_gives_json_with_the_keys_and_types_of_the_interface(predict: Ask) -> None:
    answer = predict("AAPL", "FB", "--format", "json")
    assert answer.code == 0
    forecasts = json.loads(answer.out)
    assert [one["ticker"] for one in forecasts] == ["AAPL", "FB"]
    for one in forecasts:
        fixed = ["ticker", "run", "origin", "last_close", "currency", "levels", "forecast", "skill"]
        assert list(one) == [*fixed, "weights", "fitted_to", "in_sample"]
        assert (one["weights"], one["fitted_to"]) == ("evaluated", "2010-06-30")
        assert (one["run"], one["currency"], one["levels"]) == ("small", "USD", LEVELS)
        assert dt.date.fromisoformat(one["origin"]) == dt.date(2013, 3, 1)
        assert isinstance(one["last_close"], float)
        assert [step["step"] for step in one["forecast"]] == [1, 2, 3]
        assert [step["date"] for step in one["forecast"]] == ["2013-03-04", "2013-03-05", "2013-03-06"]
        assert list(one["skill"]) == ["verdict", "baseline", "pinball_skill", "p_value", "held"]
        for step in one["forecast"]:
            assert list(step) == ["step", "date", *PRICES, "range", "volatility"]
            assert 0 < step["range"]["expected"] < 0.2
            assert 0.05 < step["volatility"]["annualised"] < 2
            assert all(set(step[width]) >= {"skill", "p_value"} for width in ("range", "volatility"))
            assert all(list(step[price]) == ["point", "quantiles"] for price in PRICES)
            quantiles = np.array([step[price]["quantiles"] for price in PRICES])
            points = np.array([step[price]["point"] for price in PRICES])
            assert quantiles.shape == (4, 7)
            assert_coherent(quantiles)
            assert_coherent(points[:, None])
    assert forecasts[0]["last_close"] == 430.47


def test_predict_gives_csv_in_long_form_with_the_same_numbers(predict: Ask) -> None:
    rows = list(csv.DictReader(io.StringIO(predict("AAPL", "FB", "--format", "csv").out)))
    assert list(rows[0]) == ["ticker", "origin", "step", "date", "variable", "level", "value"]
    assert len(rows) == 2 * 3 * (4 * 8 + 2)
    data = {one["ticker"]: one for one in json.loads(predict("AAPL", "FB", "--format", "json").out)}
    for row in rows:
        cell = data[row["ticker"]]["forecast"][int(row["step"]) - 1][row["variable"]]
        if row["variable"] in ("range", "volatility"):
            expected = cell["expected" if row["variable"] == "range" else "annualised"]
        else:
            expected = cell["quantiles"][LEVELS.index(float(row["level"]))] if row["level"] else cell["point"]
        assert float(row["value"]) == expected
        assert row["date"] == data[row["ticker"]]["forecast"][int(row["step"]) - 1]["date"]


def test_predict_writes_parquet_to_a_file(predict: Ask, tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "forecast.parquet"
    answer = predict("AAPL", "--format", "parquet", "--output", file)
    assert (answer.code, answer.out) == (0, "")
    table = pq.read_table(file)
    assert table.column_names == ["ticker", "origin", "step", "date", "variable", "level", "value"]
    assert table.num_rows == 3 * (4 * 8 + 2)
    assert table["level"].null_count == 3 * (4 + 2)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_output_goes_to_the_file_alone(predict: Ask, tmp_path: Path, form: str) -> None:
    shown = predict("AAPL", "--format", form)
    answer = predict("AAPL", "--format", form, "--output", tmp_path / "out")
    assert (answer.code, answer.out) == (0, "")
    text = (tmp_path / "out").read_text()
    assert "AAPL" in text
    assert text == shown.out


def test_the_table_shows_dates_prices_bands_and_the_skill(predict: Ask) -> None:
    answer = predict("AAPL", "--horizon", 2)
    assert answer.code == 0
    for text in (
        "AAPL",
        "2013-03-01",
        "430.47 USD",
        "2013-03-04",
        "2013-03-05",
        "80",
        "open",
        "close",
        "ewma-random-walk",
    ):
        assert text in answer.out
    assert "2013-03-06" not in answer.out


def test_notes_go_to_standard_error_and_quiet_leaves_them_out(predict: Ask) -> None:
    loud, quiet = predict("GOOG", "--format", "json"), predict("GOOG", "--format", "json", "--quiet")
    assert "note: GOOG was not among the 3 tickers of training" in loud.err
    assert quiet.err == ""
    assert quiet.out == loud.out


def test_a_horizon_between_the_trained_steps_is_said(say: Ask, store: Path, tmp_path: Path) -> None:
    where = ("--data-dir", store, "--runs-dir", tmp_path)
    quick = settings("training.steps=2", "model.hidden_size=2", "task.horizon=[1, 2, 5]")
    assert say("train", "gru", *quick, *where, "--name", "gaps", "--quiet").code == 0
    answer = say("predict", "AAPL", "--horizon", 4, *where)
    assert "note: --horizon 4 is not a step of run gaps: the forecast keeps its steps up to it, 1–2." in answer.err
    assert "is not a step" not in say("predict", "AAPL", "--horizon", 2, *where).err
    assert "is not a step" not in say("predict", "AAPL", *where).err


@pytest.mark.parametrize(
    "words",
    [
        ("train", "gru", "--format", "json"),
        ("predict", "AAPL", "--run", "none"),
        ("report", "none"),
        ("runs", "export", "none", "--to", "onnx"),
        ("data", "export", "--to", "npz"),
        ("backtest", "gru"),
        ("config", "schema"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_any_work(say: Ask, words: tuple[str, ...]) -> None:
    answer = say(*words, "--output", "/proc/none/x")
    assert (answer.code, answer.out, answer.err.count("\n")) == (4, "", 1)
    assert answer.err.startswith("error: /proc/none/x cannot be written: ")


def test_one_unknown_ticker_among_good_ones_is_told_and_the_rest_is_done(predict: Ask) -> None:
    answer = predict("AAPL", "APPL", "MSFT", "--offline", "--format", "json", "--quiet")
    assert answer.code == 3
    assert [one["ticker"] for one in json.loads(answer.out)] == ["AAPL", "MSFT"]
    assert answer.err.count("\n") == 1
    assert "Unknown ticker 'APPL'. Did you mean 'AAPL'?" in answer.err


def test_train_gives_its_scorecard_as_json_and_nothing_else_on_standard_output(train: Ask, tmp_path: Path) -> None:
    answer = train("--format", "json", "--name", "mine")
    assert answer.code == 0
    data: dict[str, Any] = json.loads(answer.out)
    assert data["run"] == "mine"
    assert Path(data["folder"]) == tmp_path / "mine"
    expected = {"origins", "tickers", "horizon", "reference", "models", "verdict", "test_period_looks"}
    assert expected <= set(data)
    assert (data["tickers"], data["horizon"], data["test_period_looks"]) == (3, [1, 2, 3], 1)
    assert data["verdict"]["code"] in ("skill", "no-evidence", "worse")
    assert {row["step"] for row in data["models"]} == {1, 2, 3, "all"}
    assert {row["name"] for row in data["models"]} == {
        "gru",
        "ewma-random-walk",
        "ewma-garman-klass",
        "har",
        "last-close",
        "climatology",
    }
    keys = "name kind variable step mae pinball crps coverage50 coverage80 coverage90 direction baseline"
    assert list(data["models"][0]) == [*keys.split(), "skill_mae", "skill_pinball", "dm_statistic", "p_value"]
    assert "step 3 of 3: loss" in answer.err
    assert "forecast predict TICKER --run mine" in answer.err


def test_train_gives_csv_parquet_and_a_table(train: Ask, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(train("--format", "csv", "--quiet").out)))
    assert len(rows) == (5 + 5) * 5 * 4
    assert train("--format", "parquet", "--output", tmp_path / "card.parquet").code == 0
    assert pq.read_table(tmp_path / "card.parquet")["step"].to_pylist() == [row["step"] for row in rows]
    table = train("--quiet")
    assert table.err == ""
    assert "ewma-random-walk" in table.out
    ranges, bands, direction = table.out.strip().splitlines()[:3]
    assert ranges.startswith("Ranges: ")
    assert bands.startswith("Bands: promised 80%, held ")
    assert direction.startswith("Direction: ")
    assert "By price" not in table.out
    assert "By price" in train("--quiet", "--verbose").out


def test_the_run_folder_holds_what_was_trained(train: Ask, tmp_path: Path) -> None:
    assert train("--name", "mine", "--quiet").code == 0
    curve = list(csv.DictReader((tmp_path / "mine" / "curve.csv").read_text().splitlines()))
    assert curve[-1]["step"] == "3"
    assert "hidden_size: 2" in (tmp_path / "mine" / "config.yaml").read_text()
    taken = train("--name", "mine")
    assert taken.code == 2
    assert "run mine exists" in taken.err
    assert "choose another --name" in taken.err


def test_the_latest_run_is_the_default(say: Ask, train: Ask, store: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert train("--name", name, "--quiet").code == 0
    answer = say("predict", "AAPL", "--format", "json", "--data-dir", store, "--runs-dir", tmp_path)
    assert json.loads(answer.out)[0]["run"] == "second"
