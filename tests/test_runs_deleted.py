"""`forecast runs delete`: what it deletes, what it asks, and all that it leaves alone."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forecaster.workflows.runs import list_runs
from forecaster.workflows.train import TrainedRun
from tests.studio import Answer, command, environment

pytest_plugins = ("tests.studio_fixtures",)

Ask = Callable[..., Answer]


@pytest.fixture
def runs(trained: TrainedRun, tmp_path: Path) -> Path:
    """A folder with two finished runs, one unfinished, and much that is no run."""
    root = tmp_path / "runs"
    for name in ("first", "second"):
        shutil.copytree(trained.folder, root / name)
    (root / "begun").mkdir()
    shutil.copy(trained.folder / "config.yaml", root / "begun")
    for name, text in {"config.yaml": "theme: dark\n", "model.safetensors": "another program's"}.items():
        (root / name.partition(".")[0]).mkdir()
        (root / name.partition(".")[0] / name).write_text(text)
    (root / "empty").mkdir()
    shutil.copytree(trained.folder, tmp_path / "outside")
    (root / "link").symlink_to(tmp_path / "outside")
    return root


@pytest.fixture
def delete(say: Ask, runs: Path) -> Ask:
    return lambda *words: say("runs", "delete", *words, "--runs-dir", runs)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_runs_are_deleted_and_the_others_stay(delete: Ask, runs: Path) -> None:
    before = names(runs)
    assert delete("first", "begun", "first", "--yes") == Answer(
        0, "", f"Deleted {runs}/first.\nDeleted {runs}/begun.\n"
    )
    assert before - names(runs) == {"first", "begun"}
    assert delete("second", "--yes", "--quiet") == Answer(0, "", "")
    assert "second" not in names(runs)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("frist", "Unknown run 'frist'. Did you mean 'first'?"),
        ("..", "Unknown run '..'. "),
        (".", "'.' is not a run of the folder "),
        ("", "'' is not a run of the folder "),
        ("config", "config is not a run: it has no config.yaml or model.safetensors of one"),
        ("model", "model is not a run: "),
        ("empty", "empty is not a run: "),
        ("link", "link is a link, not a run: delete the link by hand"),
    ],
)
def test_what_is_no_run_of_the_folder_is_refused_in_one_line(delete: Ask, runs: Path, name: str, said: str) -> None:
    before = names(runs)
    answer = delete(name, "--yes")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert said in answer.err
    assert names(runs) == before


def test_a_run_outside_the_runs_folder_is_refused(delete: Ask, runs: Path) -> None:
    outside = runs.parent / "outside"
    answer = delete(outside, "--yes")
    assert answer.code == 2
    assert f"'{outside}' is not a run of the folder {runs}: name a run in it, or another --runs-dir." in answer.err
    assert delete(runs / "first", "--yes").code == 0
    assert names(outside) == {"config.yaml", "curve.csv", "model.safetensors"}


def test_a_link_inside_a_run_is_removed_and_not_followed(delete: Ask, runs: Path) -> None:
    (runs / "first" / "data").symlink_to(runs.parent / "outside")
    assert delete("first", "--yes").code == 0
    assert "model.safetensors" in names(runs.parent / "outside")


def test_the_rest_is_deleted_where_a_name_is_unknown(delete: Ask, runs: Path) -> None:
    answer = delete("first", "nix", "begun", "--yes")
    assert answer.code == 3
    assert answer.err.splitlines()[0].startswith("error: Unknown run 'nix'.")
    assert not {"first", "begun"} & names(runs)


def test_a_damaged_run_can_be_deleted(delete: Ask, runs: Path) -> None:
    (runs / "first" / "model.safetensors").write_bytes(b"nothing of the kind")
    assert delete("first", "--yes").code == 0


def test_a_deletion_that_was_killed_half_way_is_no_run_and_no_hindrance(delete: Ask, runs: Path) -> None:
    shutil.copytree(runs / "first", runs / ".first.deleted")
    assert ".first.deleted" not in {one.name for one in list_runs(runs).records}
    assert delete("first", "--yes").code == 0
    assert not {"first", ".first.deleted"} & names(runs)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_runs_folder_that_cannot_be_written_is_an_outside_reason(delete: Ask, runs: Path) -> None:
    runs.chmod(0o555)
    try:
        assert delete("first", "--yes").code == 4
    finally:
        runs.chmod(0o755)


def answered(runs: Path, answer: bytes | None, *words: str) -> subprocess.CompletedProcess[str]:
    """`runs delete` with a terminal on which the answer is typed, or with none."""
    ours, theirs = pty.openpty()
    if answer is not None:
        os.write(ours, answer)
    try:
        return subprocess.run(
            command("runs", "delete", *words, "--runs-dir", str(runs)),
            stdin=theirs if answer is not None else subprocess.DEVNULL,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_it_asks_first(runs: Path) -> None:
    asked = answered(runs, b"n\n", "first", "begun")
    assert asked.returncode == 0
    assert "  first: finished, 3 files, " in asked.stderr
    assert "  begun: unfinished, 1 file, " in asked.stderr
    assert "Delete these 2 runs for good? [y/N]" in asked.stderr
    assert "Nothing was deleted." in asked.stderr
    assert {"first", "begun"} <= names(runs)
    assert answered(runs, b"y\n", "first").returncode == 0
    assert "first" not in names(runs)


def test_without_a_terminal_it_deletes_nothing_unless_told_not_to_ask(runs: Path) -> None:
    refused = answered(runs, None, "first")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.endswith(": add --yes.\n")
    assert "first" in names(runs)
    assert answered(runs, None, "first", "--yes").returncode == 0
