"""`forecast predict` of many tickers: all in the store, or those of a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from forecaster.workflows.train import TrainedRun
from tests.studio import Answer

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.fixture
def write(say: Ask, store: Path, runs_dir: Path, trained: TrainedRun) -> Ask:
    """Writes forecasts of all tickers as Parquet; `write(file, "--shard", "1/2")`."""
    where = ("--run", "small", "--runs-dir", runs_dir, "--data-dir", store, "--format", "parquet", "--output")
    return lambda file, *words: say("predict", "--all", *where, file, *words)


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


def test_shards_together_are_all_tickers_each_once_and_each_in_its_own_file(
    predict: Ask, write: Ask, tmp_path: Path
) -> None:
    whole = tickers(predict("--all"))
    parts = [tickers(predict("--all", "--shard", f"{number}/3")) for number in (1, 2, 3)]
    assert sorted(ticker for part in parts for ticker in part) == whole
    assert [len(part) for part in parts] == [2, 2, 1]
    assert write(tmp_path / "evening.parquet", "--shard", "2/3").code == 0
    assert [path.name for path in tmp_path.glob("evening*")] == ["evening-2-of-3.parquet"]
    written = pq.read_table(tmp_path / "evening-2-of-3.parquet").to_pylist()
    assert list(dict.fromkeys(row["ticker"] for row in written)) == parts[1]


@pytest.mark.parametrize("shard", ["9/8", "0/8", "3", "3/", "/8", "a/b", "-1/8", "1/0"])
def test_a_shard_that_cannot_be_is_one_line(predict: Ask, shard: str) -> None:
    answer = predict("--all", f"--shard={shard}")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"error: --shard {shard}: expected I/N with I from 1 to N, as in 3/8.\n"


def test_a_shard_without_a_ticker_is_one_line(predict: Ask) -> None:
    answer = predict("--all", "--shard", "6/8")
    assert (answer.code, answer.out) == (2, "")
    assert "--shard 6/8 holds no ticker: there are only 5" in answer.err


def test_rows_written_in_batches_are_those_written_at_once(
    write: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for batch in (10**6, 70):
        monkeypatch.setattr("forecaster.show.output._BATCH", batch)
        file = tmp_path / f"{batch}.parquet"
        assert write(file).code == 0
        found.append(pq.read_table(file))
    assert found[0].equals(found[1])
    assert len(found[0]) > 140, "several batches"


def test_histories_of_many_tickers_in_a_file_give_the_same_forecasts(
    predict: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = predict("--all")
    monkeypatch.setattr("forecaster.mapped.LARGE", 200_000)
    assert predict("--all").out == plain.out
