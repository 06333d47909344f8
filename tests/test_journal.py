"""The journal keeps what was said, whatever happens to the process that says it, and never stops a forecast."""

from __future__ import annotations

import datetime as dt
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from forecaster.errors import InputError
from forecaster.evaluation.entries import Entry
from forecaster.evaluation.journal import JOURNAL, append, read
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun
from tests.studio import command, environment, forecast

pytest_plugins = ("tests.studio_fixtures",)

WRITER = """
import sys
from pathlib import Path
import numpy as np
from forecaster.evaluation.entries import Entry
from forecaster.evaluation.journal import append
def entry(ticker, step):
    head = ("a", "m", ticker, "2020-01-02", step, False, "2020-01-03", "2020-01-02T22:00:00+00:00", "2019-12-31")
    return Entry(*head, (0.5,), np.zeros((4, 1)))
for number in range(int(sys.argv[3])):
    append(Path(sys.argv[1]), [entry(f"{sys.argv[2]}{number}", step) for step in range(1, 6)], patience=30)
    print(number, flush=True)
"""

HOLDER = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
base.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def entry(ticker: str = "AAPL", step: int = 1, **changes: object) -> Entry:
    values: dict[str, object] = {
        "run": "a",
        "model": "0123-evaluated",
        "ticker": ticker,
        "origin": "2020-01-02",
        "step": step,
        "as_of": False,
        "date": "2020-01-03",
        "made": "2020-01-02T22:00:00+00:00",
        "fitted_to": "2019-12-31",
        "levels": (0.25, 0.5, 0.75),
        "quantiles": np.linspace(-0.01, 0.02, 12).reshape(4, 3),
    }
    return Entry(**values | changes)  # type: ignore[arg-type]


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True)


@pytest.fixture
def run(trained: TrainedRun, tmp_path: Path) -> Path:
    """A run in a folder of its own, beside which a journal may be broken."""
    return Path(shutil.copytree(trained.folder, tmp_path / "runs" / "small"))


def words(run: Path, store: Path, *more: str) -> list[str]:
    return ["predict", "AAPL", *more, "--data-dir", str(store), "--runs-dir", str(run.parent)]


def test_what_predict_says_is_kept_in_log_ratios_and_once(run: Path, store: Path) -> None:
    places = {"data_dir": store, "runs_dir": run.parent}
    (short,) = predict(["AAPL"], horizon=1, **places)
    said = predict(["AAPL", "IBM"], **places)
    predict(["IBM", "AAPL"], **places)
    kept = read(run.parent / JOURNAL)
    assert [(one.ticker, one.step) for one in kept] == [(t, step) for t in ("AAPL", "IBM") for step in (1, 2, 3)]
    np.testing.assert_allclose(kept[0].quantiles, np.log(short.prices[0] / short.last_close), atol=1e-7)
    np.testing.assert_allclose(kept[5].quantiles, np.log(said[1].prices[2] / said[1].last_close), atol=1e-7)
    assert kept[0].date == str(said[0].dates[0])
    assert (kept[0].run, kept[0].fitted_to, kept[0].levels) == ("small", "2010-06-30", said[0].levels)
    assert not any(one.as_of for one in kept)


def test_a_forecast_as_of_a_day_is_marked_even_where_a_live_one_has_the_same_origin(run: Path, store: Path) -> None:
    for day in (dt.date(2013, 3, 1), None):
        predict(["AAPL"], as_of=day, data_dir=store, runs_dir=run.parent)
    assert sorted(one.as_of for one in read(run.parent / JOURNAL)) == [False] * 3 + [True] * 3


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    append(tmp_path / JOURNAL, [entry("BRK-B", 20, as_of=True)])
    (kept,) = read(tmp_path / JOURNAL)
    assert kept.__dict__ | {"quantiles": 0} == entry("BRK-B", 20, as_of=True).__dict__ | {"quantiles": 0}
    np.testing.assert_allclose(kept.quantiles, entry().quantiles, atol=1e-8)
    assert len(read(tmp_path / JOURNAL, "another run")) == 0


def test_steps_of_one_forecast_that_were_said_at_different_times_keep_their_own(tmp_path: Path) -> None:
    """What the rows of a forecast share is read once, unless they do not share it."""
    alike = [entry("A", step) for step in (1, 2, 3)]
    apart = [entry("B", 1), entry("B", 2, made="2020-01-02T23:00:00+00:00"), entry("B", 2, as_of=True)]
    other = [entry("C", 1, levels=(0.1, 0.5), quantiles=np.zeros((4, 2))), entry("C", 2)]
    append(tmp_path / JOURNAL, [*alike, *apart, *other])
    found = list(read(tmp_path / JOURNAL))
    wanted = [(one.ticker, one.step, one.as_of, one.made, one.levels) for one in (*alike, *apart, *other)]
    assert [(one.ticker, one.step, one.as_of, one.made, one.levels) for one in found] == wanted


def test_a_forecast_is_live_until_its_day_is_over() -> None:
    """By the clock of Greenwich: on the day itself it may have been made after the close, and is believed."""
    made = {"2020-01-02T22:00:00": True, "2020-01-03T00:00:00": True, "2020-01-03T23:59:59": True}
    for moment, live in (made | {"2020-01-04T00:00:00": False}).items():
        assert entry(made=f"{moment}+00:00").live is live
        assert not entry(made=f"{moment}+00:00", as_of=True).live


def test_the_first_said_counts(tmp_path: Path) -> None:
    append(tmp_path / JOURNAL, [entry()])
    append(tmp_path / JOURNAL, [entry(made="2020-01-05T10:00:00+00:00", quantiles=np.zeros((4, 3))), entry(step=2)])
    first, second = read(tmp_path / JOURNAL)
    assert (first.made, second.step) == (entry().made, 2)
    assert first.quantiles.any()


@pytest.mark.parametrize("statement", ["UPDATE forecasts SET date = '2020-01-06'", "DELETE FROM forecasts"])
def test_nothing_that_was_said_can_be_changed(tmp_path: Path, statement: str) -> None:
    append(tmp_path / JOURNAL, [entry()])
    with sqlite3.connect(tmp_path / JOURNAL) as base, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        base.execute(statement)
    base.close()
    assert len(read(tmp_path / JOURNAL)) == 1


def test_writers_that_are_killed_leave_whole_forecasts(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    told = 0
    for kill in range(3):
        process = writer(path, f"{kill}-", 100_000)
        assert process.stdout is not None
        for _ in range(5 + kill):
            told += process.stdout.readline() != ""
        time.sleep(0.003 * kill)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept = read(path)
        assert len(kept) % 5 == 0, "a forecast is there with all its steps, or not at all"
        assert len(kept) / 5 >= told, "what a process was told to be kept is kept"
    append(path, [entry("AFTER")])
    assert len(read(path)) % 5 == 1


def test_two_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    processes = [writer(tmp_path / JOURNAL, name, 15) for name in ("a", "b")]
    assert [process.communicate()[0].count("\n") for process in processes] == [15, 15]
    assert len(read(tmp_path / JOURNAL)) == 2 * 15 * 5


def broken(kind: str, path: Path) -> None:
    if kind == "damaged":
        path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    elif kind == "cut short":
        append(path, [entry(f"T{number}", step) for number in range(200) for step in range(1, 6)])
        path.write_bytes(path.read_bytes()[:9_000])
    elif kind == "a folder":
        path.mkdir()
    elif kind == "newer":
        append(path, [entry()])
        with sqlite3.connect(path) as base:
            base.execute("PRAGMA user_version = 3")
        base.close()
    else:
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE forecasts (old TEXT)")
        base.close()


KINDS = {
    "damaged": "file is not a database): move it away, and a new one will be created",
    "cut short": "malformed): move it away, and a new one will be created",
    "a folder": "unable to open database file): check the folder, its permissions and the free disk space",
    "newer": "is of version 3, expected 2; it is newer: update this program, or move it away",
    "old": "is of version 0, expected 2; it is not a journal: move it away",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_journal_costs_one_note_and_no_forecast(run: Path, store: Path, kind: str) -> None:
    broken(kind, run.parent / JOURNAL)
    done = forecast(*words(run, store, "--as-of", "2012-06-29"), cwd=run.parent)
    assert done.returncode == 0, done.stderr
    assert "AAPL after 2012-06-29" in done.stdout
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("note: This forecast is not kept for `forecast score`: journal ")
    assert KINDS[kind] in done.stderr
    with pytest.raises(InputError, match="expected 2" if kind in ("old", "newer") else "cannot be used"):
        read(run.parent / JOURNAL)


def test_a_journal_that_another_process_holds_costs_one_note(run: Path, store: Path) -> None:
    append(run.parent / JOURNAL, [entry()])
    holding = [sys.executable, "-c", HOLDER, str(run.parent / JOURNAL)]
    holder = subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline()
    done = forecast(*words(run, store, "--as-of", "2012-06-29"), cwd=run.parent)
    holder.kill()
    holder.communicate()
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "database is locked): another process has locked it too long" in done.stderr
    assert len(read(run.parent / JOURNAL)) == 1


def test_a_journal_that_cannot_be_written_costs_one_note(run: Path, store: Path) -> None:
    resource = pytest.importorskip("resource")
    done = subprocess.run(
        command(*words(run, store, "--as-of", "2012-06-29")),
        cwd=run.parent,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "check the folder, its permissions and the free disk space" in done.stderr
    assert "AAPL after 2012-06-29" in done.stdout


def test_without_a_journal_the_line_says_how_it_begins(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"journal.sqlite does not exist yet: the first `forecast predict` of a run"):
        read(tmp_path / JOURNAL)
    assert not (tmp_path / JOURNAL).exists()


def test_a_journal_whose_first_writer_was_killed_is_empty_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    path.touch()
    assert len(read(path)) == 0
    append(path, [entry()])
    assert len(read(path)) == 1
