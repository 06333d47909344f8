"""`forecast predict` of many tickers: all in the store, or those of a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.fixture
def predict(say: Ask, store: Path, runs_dir: Path, trained: TrainedRun) -> Ask:
    where = ("--run", "small", "--runs-dir", runs_dir, "--format", "json")
    return lambda *words: say("predict", *words, *where, *(() if "--data-dir" in words else ("--data-dir", store)))


def tickers(answer: Answer) -> list[str]:
    assert answer.code == 0, answer.err
    return [one["ticker"] for one in json.loads(answer.out)]


def test_all_are_those_in_the_store(predict: Ask) -> None:
    assert tickers(predict("--all")) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def test_a_file_adds_to_the_tickers_named(predict: Ask, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("msft, AAPL  # two of five\n\nFB\n")
    assert tickers(predict("--tickers-file", tmp_path / "mine.txt")) == ["MSFT", "AAPL", "FB"]
    assert tickers(predict("IBM", "FB", "--tickers-file", tmp_path / "mine.txt")) == ["IBM", "FB", "MSFT", "AAPL"]


def test_what_names_no_ticker_is_one_line(predict: Ask, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("# nothing yet\n")
    (tmp_path / "bytes.txt").write_bytes(b"AAPL\xff\xfe")
    refusals = {
        (): "needs a TICKER, --all or --tickers-file FILE: see `forecast predict --help`.",
        ("--all", "AAPL"): "--all means every ticker in the store: omit it, or omit AAPL.",
        ("--all", "--tickers-file", "dow30"): "omit it, or omit --tickers-file dow30.",
        (
            "--all",
            "--data-dir",
            tmp_path / "nix",
        ): "holds no candles: fetch some with `forecast fetch --source sample`.",
        ("--tickers-file", tmp_path / "none.txt"): "none.txt names no ticker: write one symbol per line.",
        ("--tickers-file", tmp_path / "bytes.txt"): "bytes.txt cannot be read as UTF-8 text",
        ("--tickers-file", tmp_path / "nix.txt"): "nix.txt is not a file: check the name, or use a ready list",
    }
    for words, said in refusals.items():
        answer = predict(*words)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1), words
        assert said in answer.err
