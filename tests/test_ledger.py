"""Looks at a test period are counted, across processes and crashes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from forecaster.errors import OutsideError
from forecaster.evaluation.ledger import Look, read_looks, record_look
from tests.studio import environment


def look(run: str = "a", first: str = "2020-01-01", last: str = "2020-12-31", tickers: str = "AAPL MSFT") -> Look:
    return Look(run, first, last, tuple(tickers.split()))


def test_a_look_counts_those_that_share_a_ticker_and_a_date(tmp_path: Path) -> None:
    assert record_look(tmp_path, look("first")) == 1
    assert record_look(tmp_path, look("same")) == 2
    assert record_look(tmp_path, look("other tickers", tickers="IBM")) == 1
    assert record_look(tmp_path, look("other years", "2018-01-01", "2019-12-31")) == 1
    assert record_look(tmp_path, look("one day and one ticker", "2020-12-31", "2021-12-31", "MSFT IBM")) == 4
    assert record_look(tmp_path, look("nothing shared", "2022-01-01", "2022-12-31")) == 1
    assert [one.run for one in read_looks(tmp_path)][:2] == ["first", "same"]


def test_a_look_comes_back_as_it_was(tmp_path: Path) -> None:
    record_look(tmp_path / "new" / "runs", look())
    assert read_looks(tmp_path / "new" / "runs") == [look()]
    assert read_looks(tmp_path) == []


def test_a_line_cut_short_loses_itself_and_no_other(tmp_path: Path) -> None:
    record_look(tmp_path, look("first"))
    record_look(tmp_path, look("cut"))
    (file,) = tmp_path.glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-20])
    assert record_look(tmp_path, look("after")) == 2
    assert [one.run for one in read_looks(tmp_path)] == ["first", "after"]


@pytest.mark.parametrize("line", ["[]", "3", '{"run": "x"}', "null", ""])
def test_a_foreign_line_is_passed_over(tmp_path: Path, line: str) -> None:
    record_look(tmp_path, look("first"))
    (file,) = tmp_path.glob("*.jsonl")
    file.write_text(f"{file.read_text()}{line}\n")
    assert record_look(tmp_path, look("after")) == 2


def test_two_processes_lose_no_look(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from forecaster.evaluation.ledger import Look, record_look\n"
        "for n in range(40): record_look(Path(sys.argv[1]), Look(sys.argv[2], '2020-01-01', '2020-12-31', ('A',)))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], env=environment()) for name in "ab"
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(read_looks(tmp_path)) == 80
    assert record_look(tmp_path, look(tickers="A")) == 81


def test_a_folder_that_cannot_be_written_is_an_outside_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(OutsideError, match="cannot be written"):
        record_look(tmp_path / "runs", look())


def test_the_look_of_a_resumed_run_is_the_same_look(tmp_path: Path) -> None:
    look = Look("gru-1", "2017-01-03", "2018-12-28", ("AAPL",))
    assert record_look(tmp_path, look, once=True) == 1
    assert record_look(tmp_path, look, once=True) == 1
    assert record_look(tmp_path, look) == 2
    assert len(read_looks(tmp_path)) == 2


def test_another_run_of_the_same_name_is_another_look(tmp_path: Path) -> None:
    first = Look("same", "2020-01-01", "2020-12-31", ("AAPL",), "one config")
    assert record_look(tmp_path, first, once=True) == 1
    assert record_look(tmp_path, first, once=True) == 1, "a resumed run does not look twice"
    assert record_look(tmp_path, replace(first, mark="another config"), once=True) == 2
