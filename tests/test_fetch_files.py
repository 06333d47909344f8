"""`forecast fetch --source file` through the real command line: what is read, refused and said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecaster.data.store import Store
from tests.conftest import Run
from tests.fileformats import DAYS, FRAME, archive, csv, excel_csv, workbook

Fetch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def fetch(forecast: Run, tmp_path: Path) -> Fetch:
    """Write a file in the folder and fetch it."""

    def run(name: str, content: bytes | str, *more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        tickers = [word for word in more if not word.startswith("--") and word.isupper()]
        options = [word for word in more if word not in tickers]
        return forecast("fetch", *tickers, "--source", "file", "--path", name, "--format", "json", *options)

    return run


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_file_s_ticker_is_named_on_the_command_line(fetch: Fetch, tmp_path: Path) -> None:
    done = fetch("my export (3).csv", csv(), "AAPL")
    assert done.returncode == 0, done.stderr
    assert [row["ticker"] for row in rows(done)] == ["AAPL"]
    assert Store(tmp_path / "data" / "store").read("AAPL").dates.tolist() == DAYS.tolist()


def test_columns_and_dates_are_said_on_the_command_line(fetch: Fetch) -> None:
    text = FRAME.assign(date=FRAME["date"].dt.strftime("%d/%m/%Y"), Sym="KO").rename(columns={"close": "Settle"})
    few = text.iloc[6:12].to_csv(index=False)  # 5 to 12 March: both ways fit
    done = fetch("x.csv", few, "--column=close=Settle", "--column=ticker=Sym")
    assert done.returncode == 2
    assert "set --date-format %m/%d/%Y or --date-format %d/%m/%Y" in rows(done)[0]["reason"]
    done = fetch("x.csv", few, "--column=close=Settle", "--column=ticker=Sym", "--date-format=%d/%m/%Y")
    assert done.returncode == 0, done.stderr
    assert [(row["ticker"], row["first"], row["last"]) for row in rows(done)] == [("KO", "2013-03-05", "2013-03-12")]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--column=Settle", "--column Settle: expected FIELD=NAME, as in --column close=Price"),
        ("--column=clse=Settle", "Unknown column 'clse'. Did you mean 'close'?"),
        ("--column=close=", "--column close= has no column name: expected one of the file, as in close=Price"),
        ("--date-format=%d", "--date-format %d lacks a year, month or day: expected a format such as %d/%m/%Y"),
        ("--resample=week", "Unknown frequency 'week'"),
    ],
)
def test_an_option_that_says_nothing_is_refused_in_one_line(fetch: Fetch, option: str, complaint: str) -> None:
    done = fetch("x.csv", csv(), option)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("source", ["yahoo", "sample"])
@pytest.mark.parametrize("option", ["--column=close=Price", "--date-format=%d/%m/%Y", "--resample=day"])
def test_an_option_of_files_is_refused_for_other_sources(forecast: Run, source: str, option: str) -> None:
    done = forecast("fetch", "AAPL", "--source", source, option)
    assert done.returncode == 2
    assert f"{option.partition('=')[0]} has no effect on --source {source}: omit it" in done.stderr


HOURS = pd.DataFrame(
    {
        "Date": [day + np.timedelta64(10 + hour, "h") for day in DAYS for hour in range(6)],
        **{name: np.repeat(FRAME[name].to_numpy(), 6) for name in ("open", "high", "low", "close")},
    }
)


def test_hourly_candles_are_refused_and_resampled(fetch: Fetch) -> None:
    done = fetch("HOURS.csv", HOURS.to_csv(index=False))
    assert done.returncode == 2
    assert "up to 6 candles per day (first 2013-02-25 10:00 and 11:00)" in rows(done)[0]["reason"]
    done = fetch("HOURS.csv", HOURS.to_csv(index=False), "--resample=day")
    assert done.returncode == 0, done.stderr
    assert (rows(done)[0]["rows"], rows(done)[0]["last"]) == (20, str(DAYS[-1]))


def test_workbooks_archives_and_excel_s_text_are_read(fetch: Fetch) -> None:
    for name, content in (("A.xlsx", workbook()), ("B.csv", excel_csv()), ("pack.zip", archive({"C.csv": csv()}))):
        done = fetch(name, content)
        assert done.returncode == 0, done.stderr
        assert [(row["rows"], row["last"]) for row in rows(done)] == [(20, str(DAYS[-1]))]


def test_adjusted_closes_that_cannot_be_used_are_said_with_exit_0(fetch: Fetch) -> None:
    for bad, words in (
        (np.inf, "adj_close inf on"),
        (-0.77, "adj_close -0.77 on"),
        (np.nan, "without an adjusted close"),
    ):
        adjusted = FRAME["close"].where(np.arange(20) >= 9, bad)
        done = fetch("X.csv", FRAME.assign(adj_close=adjusted).to_csv(index=False))
        assert done.returncode == 0
        assert rows(done)[0]["rows"] == 20
        assert words in rows(done)[0]["notes"][0]


def test_a_folder_of_every_kind_gives_what_can_be_read_and_says_what_cannot(forecast: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "A.xlsx").write_bytes(workbook())
    (folder / "B.csv").write_text(excel_csv(), newline="")
    (folder / "pack.zip").write_bytes(archive({"C.csv": csv(), "notes.pdf": "x"}))
    (folder / "HOURS.csv").write_text(HOURS.to_csv(index=False))
    (folder / "broken.zip").write_bytes(b"PK")
    done = forecast("fetch", "--source", "file", "--path", "in", "--format", "json", "--quiet")
    assert done.returncode == 3
    assert {row["ticker"]: row["status"] for row in rows(done)} == {
        "A": "new", "B": "new", "C": "new", "HOURS": "failed", "BROKEN": "failed",
    }  # fmt: skip
