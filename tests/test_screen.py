"""How wide lines are: as wide as the terminal, by whole words; never broken in a pipe."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from forecaster.show.screen import ENDLESS, columns, drawn, fitted, moves
from forecaster.workflows.train import TrainedRun
from tests.studio import command, environment, settings
from tests.terminal import Shown, on_terminal

pytest_plugins = ("tests.studio_fixtures",)

BAD = "model: {name: gru}\ntask: {context: a-value-that-takes-much-room, head: nothing-of-the-kind-that-we-know}\n"
STALE = "AAPL's candles end on 2013-03-01: fetch newer ones for a forecast of today."


def test_a_stream_without_a_terminal_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    buffer = io.StringIO()
    assert (columns(buffer), columns(buffer, asked=True)) == (ENDLESS, 70)
    monkeypatch.setenv("COLUMNS", "wide")
    assert columns(buffer, asked=True) == ENDLESS
    assert (drawn(ENDLESS), drawn(70)) == (80, 70)
    sentence = "a word " * 60
    assert fitted(sentence, buffer) == sentence


def test_a_terminal_that_does_not_tell_its_width_is_taken_for_80(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        assert os.get_terminal_size(theirs).columns == 0
        assert columns(terminal) == 80
        words = ["take", "--run-of-a-name-with-hyphens"] * 8
        lines = fitted(" ".join(words), terminal).splitlines()
        assert max(map(len, lines)) <= 80
        assert [word for line in lines for word in line.split()] == words, "no word is cut"
    os.close(ours)


@pytest.mark.parametrize(("kind", "bar"), [("xterm", True), ("dumb", False)])
def test_a_bar_is_drawn_where_it_can_be_drawn_over(monkeypatch: pytest.MonkeyPatch, kind: str, bar: bool) -> None:
    monkeypatch.setenv("TERM", kind)
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        assert moves(terminal) == bar
    os.close(ours)
    assert not moves(io.StringIO())


@pytest.fixture(scope="module")
def home(store: Path, trained: TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and two runs where the commands look for them."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(store, folder / "data" / "store")
    shutil.copytree(trained.folder, folder / "runs" / "small")
    shutil.copytree(trained.folder, folder / "runs" / "a-second-run-of-a-rather-long-name")
    (folder / "bad.yaml").write_text(BAD)
    return folder


@pytest.mark.parametrize(
    ("line", "width"),
    [
        ("predict AAPL GOOG --run small", 80),
        ("predict AAPL --run a-name-that-no-run-has-and-that-makes-the-message-longer-than-a-terminal-is-wide", 60),
        ("runs list", 80),
        ("runs list", 60),
        ("runs show small", 60),
        ("runs compare small a-second-run-of-a-rather-long-name", 80),
        ("models", 60),
        ("data list", 80),
        ("data show AAPL", 80),
        ("train few --set members.0.hidden_size=4 --set training.steps=55", 60),
        ("config check bad.yaml", 60),
    ],
)
def test_every_line_fits_the_terminal_and_ends_between_words(home: Path, line: str, width: int) -> None:
    shown = on_terminal(*line.split(), cwd=home, columns=width)
    assert max(map(len, shown.lines)) <= width
    assert shown.code in (0, 2, 3)


def test_a_note_breaks_on_a_terminal_and_stays_whole_in_a_pipe(home: Path) -> None:
    words = ("predict", "AAPL", "--run", "small")
    said = on_terminal(*words, cwd=home).lines
    place = next(place for place, line in enumerate(said) if line.startswith("note: AAPL"))
    assert " ".join(said[place : place + 2]) == f"note: {STALE}"
    plain = {key: value for key, value in environment().items() if key != "COLUMNS"}
    piped = subprocess.run(command(*words), cwd=home, env=plain, capture_output=True, text=True, check=True)
    assert f"note: {STALE}" in piped.stderr.splitlines()
    (verdict,) = (line for line in piped.stdout.splitlines() if line.startswith("Run small. "))
    assert verdict.endswith(".")
    assert len(verdict) < 120, "a forecast is no place for sixty words"
    assert max(len(line) for line in piped.stdout.splitlines() if line != verdict) <= 80, "what is drawn keeps to 80"
    (home / "out").mkdir(exist_ok=True)
    subprocess.run(command(*words, "--output", "out/x.txt"), cwd=home, env=plain, capture_output=True, check=True)
    assert (home / "out" / "x.txt").read_text() == piped.stdout


@pytest.fixture(scope="module")
def walked(home: Path) -> Shown:
    """A backtest of two folds on a terminal."""
    more = ("--refit-every", "130", "--workers", "1", "--runs-dir", "walked")
    return on_terminal("backtest", "gru", *settings("training.steps=110"), *more, cwd=home)


def test_the_bar_says_step_speed_loss_and_validation_skill_and_leaves_one_line_a_network(walked: Shown) -> None:
    assert walked.code == 0
    assert max(map(len, walked.lines)) <= 80
    assert any(re.match(r"  step \d+ of 110 +\S+ [\d.,]+ steps/s, \d+:\d\d left", line) for line in walked.lines)
    assert any(
        re.match(r"  fold 2 of 2, \d+:\d\d left +loss 0\.\d{4}, validation skill [+-]", line) for line in walked.lines
    )
    measured = [line for line in walked.lines if line.startswith("· step")]
    assert [line.partition(":")[0] for line in measured] == ["· step 110 of 110"] * 2


def test_the_time_left_of_all_folds_is_known_from_the_first(walked: Shown) -> None:
    found = [re.search(r"fold (\d) of 2, \d+:\d\d left", line) for line in walked.lines]
    assert [fold for fold, _ in groupby(one[1] for one in found if one)] == ["1", "2"]


def test_a_problem_of_a_config_is_one_line_wherever_an_editor_reads_it(home: Path) -> None:
    done = subprocess.run(
        command("config", "check", "bad.yaml"), cwd=home, env=environment() | {"COLUMNS": "50"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == ["bad.yaml:2"] * 2
