"""No file of the folder that a command is called in is imported, however it is started and in whatever process."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.walkforward import processes as crew
from tests.studio import QUICK, REPOSITORY, environment
from tests.test_layers import sources

pytest_plugins = ("tests.studio_fixtures",)

NAMES = (
    "calendar",
    "random",
    "typing",
    "json",
    "queue",
    "token",
    "secrets",
    "numpy",
    "pandas",
    "torch",
    "yaml",
    "rich",
)
"""Files that people have, under names of modules that are imported here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with such files, each of which leaves a mark when it is run; its own name is no text in UTF-8."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/j\xe9 \xc3x"))
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open('imported', 'a').write({name!r})\n")
    return folder


def run(folder: Path, start: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*start, *words], cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_a_backtest_imports_nothing_from_the_folder_in_any_of_its_processes(store: Path, folder: Path) -> None:
    settings = [word for one in (*QUICK, "training.steps=2", "model.hidden_size=2") for word in ("--set", one)]
    words = ["backtest", "gru", *settings, "--refit-every", "130", "--workers", "2", "--data-dir", str(store)]
    console = [sys.executable, str(Path(sys.executable).with_name("forecast"))]
    done = run(folder, console, *words, "--format", "json", "--output", "o.json")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" is done: trains") == 2, "by processes of their own"
    assert not (folder / "imported").exists()


def test_nor_does_the_package_run_as_a_module(folder: Path) -> None:
    done = run(folder, [sys.executable, "-m", "forecaster"], "fetch", "--source", "sample")
    assert done.returncode == 0, done.stderr
    assert not (folder / "imported").exists()


def test_the_files_would_have_been_imported(folder: Path) -> None:
    run(folder, [sys.executable, "-c", "import calendar, queue"])
    assert (folder / "imported").read_text() == "calendarqueue"


def test_a_folder_that_was_removed_is_no_bug(tmp_path: Path) -> None:
    line = f'cd gone && rmdir ../gone && "{sys.executable}" -m forecaster data list'
    (tmp_path / "gone").mkdir()
    done = run(tmp_path, ["bash", "-c", line])
    assert done.returncode in (2, 4)
    assert done.stderr.startswith("error: ")
    assert "bug" not in done.stderr


def test_every_process_that_is_started_imports_nothing_from_the_folder() -> None:
    """`-P` stands wherever this interpreter is started by the package."""
    starts = [
        (name, ast.unparse(node))
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.List) and any(ast.unparse(item) == "sys.executable" for item in node.elts)
    ]
    assert starts
    assert [start for start in starts if "'-P'" not in start[1]] == []


def test_a_worker_runs_the_package_of_its_parent_though_another_is_on_the_path(tmp_path: Path) -> None:
    other = tmp_path / "forecaster"
    other.mkdir()
    (other / "__init__.py").write_text("raise SystemExit('the other one')\n")
    own, module = str(REPOSITORY / "forecaster"), crew.FOLDS.module
    started = [sys.executable, "-P", "-c", crew._START, own, module, str(tmp_path / "no-walk")]
    path = {"PYTHONPATH": str(tmp_path)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(started, env=environment() | path, text=True, **streams) as worker:  # type: ignore[call-overload]
        worker.stdin.write("0\n")
        worker.stdin.flush()
        said = worker.stdout.readline()  # before the end of its input, at which it ends
    answer = json.loads(said)  # only our own package answers so: there is nothing to take over
    assert str(tmp_path / "no-walk") in answer["error"]
