"""What `forecast fetch` shows: each ticker once, and what to do next."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.show.fetch import next_step
from forecaster.workflows.fetch import Fetched
from tests.studio import Answer, command, environment
from tests.terminal import on_terminal

pytest_plugins = ("tests.studio_fixtures",)

SAMPLE = ("fetch", "--source", "sample")
Ask = Callable[..., Answer]


def times(text: str, ticker: str) -> int:
    """Lines about a ticker that are not the bar's."""
    return sum(line.startswith(f"{ticker} ") and "━" not in line for line in text.splitlines())


def test_on_a_terminal_each_ticker_is_shown_once(tmp_path: Path) -> None:
    shown = on_terminal(*SAMPLE, cwd=tmp_path)
    assert shown.code == 0
    text = "\n".join(shown.lines)
    assert [times(text, ticker) for ticker in ("AAPL", "FB", "MSFT")] == [1, 1, 1]
    assert [line for line in shown.lines if line][-1] == "Next: forecast predict AAPL"


def test_in_one_log_each_ticker_is_told_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        subprocess.run(command(*SAMPLE), cwd=tmp_path, env=environment(), stdout=log, stderr=log, check=True)
    text = (tmp_path / "log").read_text()
    assert [times(text, ticker) for ticker in ("AAPL", "FB", "MSFT")] == [1, 1, 1]
    assert text.count("Next: ") == 1


def test_where_the_table_goes_elsewhere_the_rows_are_seen(tmp_path: Path) -> None:
    shown = on_terminal(*SAMPLE, "--output", "table.txt", cwd=tmp_path)
    assert times("\n".join(shown.lines), "IBM") == times((tmp_path / "table.txt").read_text(), "IBM") == 1
    done = subprocess.run(command(*SAMPLE), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert (times(done.stdout, "IBM"), times(done.stderr, "IBM")) == (1, 1)
    assert "Next" not in done.stdout


def test_the_next_step_names_a_store_that_is_not_the_usual_one(
    say: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my store"
    answer = say(*SAMPLE, "IBM", "--data-dir", folder, "-f", "json")
    assert [one["ticker"] for one in json.loads(answer.out)] == ["IBM"]
    assert answer.err.splitlines()[-1] == f"Next: forecast predict IBM --data-dir '{folder}'"
    monkeypatch.setenv("FORECASTER_DATA_DIR", str(folder))
    assert say(*SAMPLE, "IBM").err.splitlines()[-1] == "Next: forecast predict IBM"
    assert say(*SAMPLE, "IBM", "--quiet").err == ""


def test_there_is_no_next_step_without_candles() -> None:
    failed = Fetched("NIX", "failed", reason="unknown", code=4)
    assert next_step([failed], None) == next_step([], None) == ""
    assert next_step([failed, Fetched("$SPX", "kept", rows=9, code=2)], None) == "Next: forecast predict '$SPX'"
