"""Files whose candles do not fit their calendar, from the command line: fetch, verify and predict say so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecaster.data.calendars import sessions
from forecaster.data.store import Store
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, bars

pytest_plugins = ("tests.studio_fixtures",)

Say = Callable[..., Answer]
Files = Callable[..., Path]
Fetched = Callable[..., dict[str, Any]]
Verified = Callable[[], tuple[int, list[dict[str, str]]]]
Predicted = Callable[..., tuple[list[str], str]]

SESSIONS = sessions("XNYS", np.datetime64("2023-01-01"), np.datetime64("2024-03-01"))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write random candles of some days as a CSV file named by its ticker."""

    def write(
        ticker: str, days: np.ndarray, edit: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame
    ) -> Path:
        one = bars(ticker, len(days), seed=len(days))
        table = pd.DataFrame(one.ohlc, pd.DatetimeIndex(days, name="Date"), ["Open", "High", "Low", "Close"])
        path = tmp_path / f"{ticker}.csv"
        edit(table.assign(Volume=1000)).round(4).to_csv(path)
        return path

    return write


@pytest.fixture
def fetched(say: Say, tmp_path: Path) -> Fetched:
    """Fetch a file into a store of one's own, and give what came of its ticker."""

    def run(path: Path, *options: str) -> dict[str, Any]:
        where = ("--path", path, "--data-dir", tmp_path / "store")
        answer = say("fetch", "--source", "file", *where, "--format", "json", "--quiet", *options)
        (row,) = json.loads(answer.out)
        return row | {"exit": answer.code}

    return run


@pytest.fixture
def verified(say: Say, tmp_path: Path) -> Verified:
    def run() -> tuple[int, list[dict[str, str]]]:
        answer = say("data", "verify", "--data-dir", tmp_path / "store", "--format", "json")
        return answer.code, json.loads(answer.out)

    return run


@pytest.fixture
def predicted(say: Say, tmp_path: Path, trained: TrainedRun) -> Predicted:
    """Dates of the forecast, and what was said beside it."""

    def run(ticker: str, *options: str) -> tuple[list[str], str]:
        answer = say(
            "predict", ticker, "--run", trained.folder, "--data-dir", tmp_path / "store", "--format", "json", *options
        )
        assert answer.code == 0, answer.err
        return [step["date"] for step in json.loads(answer.out)[0]["forecast"]], " ".join(answer.err.split())

    return run


def test_crypto_without_its_calendar(files: Files, fetched: Fetched, verified: Verified, predicted: Predicted) -> None:
    path = files("BTC-EUR", np.arange("2023-10-01", "2024-03-02", dtype="datetime64[D]"))
    row = fetched(path)
    assert (row["exit"], row["status"], row["rows"]) == (0, "new", 153)
    told = "48 of 153 candles are on days when XNYS is closed (first Sunday 2023-10-01)"
    assert f"{told}: fetch it with its own calendar, --calendar 24/7" in row["notes"]
    code, (finding,) = verified()
    assert (code, finding["kind"], finding["problem"]) == (3, "calendar", f"{told}.")
    assert finding["remedy"].endswith("--source file --path FILE --full --calendar 24/7.")
    dates, notes = predicted("BTC-EUR")
    assert dates == ["2024-03-02", "2024-03-03", "2024-03-04"]  # Saturday, Sunday, Monday
    assert f"note: BTC-EUR's candles do not fit its calendar: {told}" in notes
    assert fetched(path, "--calendar", "24/7", "--full")["status"] == "updated"
    assert verified() == (0, [])
    dates, notes = predicted("BTC-EUR")
    assert dates[0] == "2024-03-02"
    assert "calendar" not in notes


def test_weekends_and_holidays_filled_with_the_last_close(
    files: Files, fetched: Fetched, verified: Verified, predicted: Predicted, tmp_path: Path
) -> None:
    def padded(table: pd.DataFrame) -> pd.DataFrame:
        full = table.asfreq("D")
        close = full["Close"].ffill()
        return full.assign(Volume=full["Volume"].fillna(0)).apply(
            lambda column: column if column.name == "Volume" else column.fillna(close)
        )

    days = SESSIONS[-189:]
    plain, full = fetched(files("PLAIN", days)), fetched(files("PADX", days, padded))
    assert (plain["rows"], full["rows"]) == (189, 189)
    (note,) = [note for note in full["notes"] if "repeat" in note]
    assert re.match(r"\d+ candles on days when XNYS is closed \(first \w+ 2023-\d\d-\d\d\) repeat", note)
    store = Store(tmp_path / "store")
    assert np.array_equal(store.read("PADX").ohlc, store.read("PLAIN").ohlc)
    assert verified() == (0, [])
    assert predicted("PADX")[0] == predicted("PLAIN")[0] == ["2024-03-04", "2024-03-05", "2024-03-06"]


def test_a_store_that_took_filled_weekends_before_is_found(
    verified: Verified, predicted: Predicted, tmp_path: Path
) -> None:
    real = bars("OLD", 200, start="2023-05-01")
    every = np.arange(real.dates[0], real.dates[-1] + 1)
    before = np.searchsorted(real.dates, every, "right") - 1
    columns = {name: getattr(real, name)[before] for name in ("open", "high", "low", "close", "adj_close", "volume")}
    padded = replace(real, dates=every, **columns, dividend=np.zeros(len(every)), split=np.ones(len(every)))
    Store(tmp_path / "store").write(padded, source="file")
    code, findings = verified()
    assert code == 3
    assert [
        finding["kind"] for finding in findings if "repeat or interpolate their neighbours" in finding["problem"]
    ] == ["filled"]
    assert "OLD: " in predicted("OLD")[1]


@pytest.mark.parametrize(("rule", "name"), [("W-FRI", "weekly"), ("MS", "monthly")])
def test_weekly_and_monthly_files_are_refused_and_nothing_is_taken(
    files: Files, fetched: Fetched, tmp_path: Path, rule: str, name: str
) -> None:
    days = pd.date_range("2010-01-01", "2024-03-01", freq=rule).to_numpy()
    row = fetched(files("COARSE", days))
    assert (row["exit"], row["status"]) == (2, "failed")
    assert f"are {name} (" in row["reason"]
    assert row["reason"].endswith("daily candles are expected.")
    assert Store(tmp_path / "store").tickers() == ()


def test_weekly_candles_of_an_older_store_are_found_and_not_forecast(
    say: Say, verified: Verified, trained: TrainedRun, tmp_path: Path
) -> None:
    one = bars("WEEK", 218)
    weekly = replace(one, dates=np.arange(218) * 7 + np.datetime64("2020-01-03"))
    Store(tmp_path / "store").write(weekly, source="file")
    code, (finding,) = verified()
    assert (code, finding["kind"]) == (3, "interval")
    assert finding["problem"].startswith("its 218 candles from 2020-01-03 to 2024-03-01 are weekly (7 days apart)")
    assert finding["remedy"].endswith("--full --force.")
    answer = say("predict", "WEEK", "--run", trained.folder, "--data-dir", tmp_path / "store")
    assert answer.code == 2
    assert answer.err.startswith("error: WEEK: its 218 candles")
    assert answer.out == ""


def test_a_sunday_to_thursday_market(files: Files, fetched: Fetched, verified: Verified, predicted: Predicted) -> None:
    every = np.arange("2023-06-01", "2024-03-01", dtype="datetime64[D]")
    path = files("NBK", every[np.is_busday(every, "1111001")])  # to Thursday 29 February
    row = fetched(path, "--currency", "KWD")
    (note,) = [note for note in row["notes"] if "XNYS" in note]
    assert "there are none on Fridays, when XNYS trades" in note
    assert note.endswith("--calendar Sun-Thu")
    assert verified()[0] == 3
    assert predicted("NBK")[0] == ["2024-03-03", "2024-03-04", "2024-03-05"]  # from Sunday
    assert fetched(path, "--currency", "KWD", "--calendar", "Sun-Thu", "--full")["status"] == "updated"
    assert verified() == (0, [])
    assert predicted("NBK")[0] == ["2024-03-03", "2024-03-04", "2024-03-05"]


def test_a_calendar_that_cannot_be_computed_here_is_taken_by_its_week(
    files: Files, fetched: Fetched, predicted: Predicted, verified: Verified
) -> None:
    every = np.arange("2023-06-01", "2024-03-01", dtype="datetime64[D]")
    path = files("TEVA.TA", every[np.is_busday(every, "1111001")])
    assert fetched(path, "--calendar", "XTAE", "--currency", "ILS")["exit"] == 0
    assert verified() == (0, [])
    assert predicted("TEVA.TA")[0] == ["2024-03-03", "2024-03-04", "2024-03-05"]


def test_a_price_that_never_moved_is_said_in_a_sentence(files: Files, fetched: Fetched, predicted: Predicted) -> None:
    row = fetched(files("PEGX", SESSIONS, lambda table: table.assign(Open=1, High=1, Low=1, Close=1, Volume=0)))
    since = SESSIONS[0]
    assert f"the price has not moved since {since}: {len(SESSIONS)} candles at 1, without volume" in row["notes"]
    assert f"PEGX has not moved since {since}" in predicted("PEGX")[1]
