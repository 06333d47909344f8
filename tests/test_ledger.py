"""Which models were tried on a test is counted: across processes, crashes, runs folders, and the format of before."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.ledgerfile import NAME, TAKEN_OVER
from forecaster.evaluation.look import Look, model_of
from forecaster.runs.config import load_config
from tests.studio import environment, handles


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "store").mkdir()
    return Ledger(tmp_path / "store", tmp_path / "runs")


def look(model: str = "a", first: str = "2020-01-01", last: str = "2020-12-31", tickers: str = "AAPL MSFT") -> Look:
    return Look(model, first, last, tuple(tickers.split()))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def test_models_count_that_share_a_ticker_and_a_date(ledger: Ledger) -> None:
    assert ledger.record(look("first")).count == 1
    assert ledger.record(look("second")).count == 2
    assert ledger.record(look("other tickers", tickers="IBM")).count == 1
    assert ledger.record(look("other years", "2018-01-01", "2019-12-31")).count == 1
    assert ledger.record(look("one day and one ticker", "2020-12-31", "2021-12-31", "MSFT IBM")).count == 4
    assert ledger.record(look("nothing shared", "2022-01-01", "2022-12-31")).count == 1


def test_the_same_model_adds_nothing_however_often_and_on_whatever_newer_candles(ledger: Ledger) -> None:
    ledger.record(look("nightly"))
    assert ledger.record(look("nightly")).count == 1
    assert ledger.record(look("nightly", "2020-01-02", "2021-01-04")).count == 1
    assert ledger.record(look("another")).count == 2
    assert len(lines(ledger.store)) == 3, "the same model on the same test has one line"


def test_a_count_leaves_no_trace(ledger: Ledger) -> None:
    ledger.record(look("first"))
    assert ledger.read().count(look("second")).count == 2
    assert ledger.read().count(look("first")).count == 1
    assert len(lines(ledger.store)) == 1


def test_another_runs_folder_or_a_deleted_one_resets_nothing(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(look("first"))
    shutil.rmtree(ledger.runs, ignore_errors=True)
    assert Ledger(ledger.store, tmp_path / "elsewhere").record(look("second")).count == 2


def test_where_the_store_cannot_be_written_the_runs_folder_serves_and_a_note_says_so(ledger: Ledger) -> None:
    ledger.store.rmdir()
    ledger.store.write_text("a file where the folder should be")
    found = ledger.record(look("first"))
    assert found.count == 1
    assert str(ledger.runs / NAME) in found.notes[0]
    assert ledger.record(look("second")).count == 2


def test_where_nothing_can_be_written_a_note_says_so_and_nothing_is_lost(ledger: Ledger) -> None:
    ledger.store.rmdir()
    for folder in (ledger.store, ledger.runs):
        folder.write_text("a file where the folder should be")
    found = ledger.record(look("first"))
    assert found.count == 1
    assert "could not be recorded" in found.notes[0]


@pytest.mark.parametrize(
    "line", [b"[]", b"3", b'{"model": "x"}', b"null", b'{"model": 3', b"\xff\xfe\xfd", b"[" * 5000]
)
def test_a_damaged_line_is_set_aside_reported_and_counted_without(ledger: Ledger, line: bytes) -> None:
    ledger.record(look("first"))
    file = ledger.store / NAME
    damaged = file.read_bytes() + line + b"\n"
    file.write_bytes(damaged)
    found = ledger.record(look("after"))
    assert found.count == 2
    (note,) = found.notes
    (aside,) = ledger.store.glob("test-looks.damaged-*.jsonl")
    assert note.startswith("1 line of ")
    assert str(aside) in note
    assert aside.read_bytes() == damaged
    assert [one["model"] for one in lines(ledger.store)] == ["first", "after"]
    assert ledger.record(look("again")).notes == ()


@pytest.mark.parametrize("line", [b'{"format": 3, "seen": []}', b'{"format": 4, "model": "z", "first": 7}'])
@pytest.mark.parametrize("also_damaged", [False, True])
def test_a_line_of_a_newer_version_is_left_alone_and_said_to_be_newer(
    ledger: Ledger, line: bytes, also_damaged: bool
) -> None:
    ledger.record(look("first"))
    file = ledger.store / NAME
    file.write_bytes(file.read_bytes() + line + b"\n" + b"{\n" * also_damaged)
    found = ledger.record(look("after"))
    assert found.count == 2
    assert "1 line of" in found.notes[-1]
    assert "was written by a newer version of forecaster: looks are counted without them" in found.notes[-1]
    assert line in file.read_bytes().splitlines()
    assert len(ledger.record(look("again")).notes) == 1, "damage is set aside once, what is newer is said each time"


@pytest.mark.parametrize("mark", [[1], {}, 3, None])
def test_a_look_with_a_mark_of_another_type_is_damaged(ledger: Ledger, mark: object) -> None:
    ledger.record(look("first"))
    (line,) = lines(ledger.store)
    with (ledger.store / NAME).open("a") as file:
        file.write(f"{json.dumps(line | {'model': 'second', TAKEN_OVER: mark})}\n")
    known = ledger.read()
    assert [one.model for one in known.looks] == ["first"]
    assert known.notes[0].startswith("1 line of ")


def test_a_ledger_that_cannot_be_opened_is_said_to_be_and_kept(ledger: Ledger) -> None:
    for folder in (ledger.store, ledger.runs):
        Ledger(folder, folder).record(look("first"))
    before = (ledger.store / NAME).read_bytes()
    with handles(0):
        looks = ledger.record(look("second"))
    assert looks.notes[:2] == tuple(
        f"{folder / NAME} cannot be read (Too many open files): its looks are not counted."
        for folder in (ledger.store, ledger.runs)
    )
    assert (ledger.store / NAME).read_bytes() == before


def test_a_line_cut_short_by_a_crash_loses_itself_and_no_other(ledger: Ledger) -> None:
    ledger.record(look("first"))
    ledger.record(look("cut"))
    file = ledger.store / NAME
    file.write_bytes(file.read_bytes()[:-20])
    assert ledger.record(look("after")).count == 2
    assert [one["model"] for one in lines(ledger.store)] == ["first", "after"]


def test_two_processes_lose_no_look(ledger: Ledger) -> None:
    script = (
        "import sys; from pathlib import Path; from forecaster.evaluation.ledger import Ledger\n"
        "from forecaster.evaluation.look import Look\n"
        "ledger = Ledger(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for n in range(20): ledger.record(Look(f'{sys.argv[3]}{n}', '2020-01-01', '2020-12-31', ('A',)))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(ledger.store), str(ledger.runs), name], env=environment())
        for name in "ab"
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert ledger.record(look(tickers="A")).count == 41


def old(run: str, mark: str = "", tickers: str = "AAPL MSFT") -> str:
    """A line as it was before models were told apart."""
    dates = {"first": "2020-01-01", "last": "2020-12-31"}
    return json.dumps({"run": run} | dates | {"tickers": tickers.split(), "mark": mark})


def test_a_ledger_of_before_is_taken_over_once_each_run_as_one_model(ledger: Ledger) -> None:
    ledger.runs.mkdir()
    text = "\n".join([old("one", "x"), old("doctor one"), old("report one"), old("compare one two"), old("two", "y")])
    (ledger.runs / NAME).write_text(f"{text}\n")
    assert ledger.record(look("new")).count == 3
    shutil.rmtree(ledger.runs)
    assert ledger.record(look("newer")).count == 4, "it lies beside the store now"
    assert len([one for one in lines(ledger.store) if "taken_over" in one]) == 1


def test_a_run_of_before_that_still_has_its_config_is_the_model_of_that_config(ledger: Ledger) -> None:
    (ledger.runs / "one").mkdir(parents=True)
    config = load_config("gru", ["training.seed=7"])
    from forecaster.config.load import to_yaml

    (ledger.runs / "one" / "config.yaml").write_text(to_yaml(config))
    (ledger.runs / NAME).write_text(f"{old('one', 'x')}\n")
    assert ledger.record(look(model_of(config))).count == 1
    assert ledger.record(look("another")).count == 2


def test_a_model_is_its_config_and_seed_and_not_what_it_is_compared_with_or_where_it_learns() -> None:
    gru = model_of(load_config("gru"))
    same = ["evaluation.baselines=[har, garch]", "training.device=cpu", "training.through=latest"]
    assert {model_of(load_config("gru", [one])) for one in same} == {gru}
    others = ["training.seed=1", "model.hidden_size=65", "calibration.rolling=true", "training.steps=201"]
    assert len({model_of(load_config("gru", [one])) for one in others} | {gru}) == len(others) + 1
