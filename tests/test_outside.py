"""Permissions, limits of the system, links in a circle: one line, the right code, nothing changed."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.marks import needs_linux
from tests.studio import command, environment

pytest_plugins = ("tests.studio_fixtures",)
resource = pytest.importorskip("resource")  # Windows has none

_DROP, _OVERRIDES = 24, (1, 2)
"""`PR_CAPBSET_DROP` of `prctl(2)`, and the capabilities by which root may read and write whatever the modes say."""

NOTHING: dict[str, bytes] = {}


def as_a_user() -> None:
    """For `preexec_fn`: modes of files hold for root too."""
    for capability in _OVERRIDES if os.geteuid() == 0 else ():
        ctypes.CDLL(None).prctl(_DROP, capability, 0, 0, 0)


def limited(kind: int, most: int) -> Callable[[], None]:
    """For `preexec_fn`: a limit of the system."""
    return lambda: resource.setrlimit(kind, (most, most))


def ask(words: str, cwd: Path, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words.split()),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("·")]
    assert (done.returncode, line.startswith("error: ")) == (4, True), done.stderr
    assert said in line


SMALL = "--set training.steps=2 --set data.tickers=[AAPL] --quiet"


@needs_linux
@pytest.mark.parametrize("words", ["fetch --source sample --data-dir new/store", f"train demo {SMALL} --runs-dir new"])
def test_a_folder_that_is_not_writable_ends_with_4(words: str, store: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir(mode=0o555)
    where = f" --data-dir {store}" if "train" in words else ""
    assert_refused(ask(words + where, tmp_path, as_a_user), "cannot be written: Permission denied")
    assert content(tmp_path) == NOTHING


@needs_linux
@pytest.mark.parametrize("words", ["predict AAPL --offline", "data list", "fetch --source sample"])
def test_a_store_that_cannot_be_listed_is_not_taken_for_empty(words: str, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o000)
    done = ask(f"{words} --data-dir store", tmp_path, as_a_user)
    (tmp_path / "store").chmod(0o755)
    assert_refused(done, "store cannot be read: Permission denied")


def test_few_file_handles_end_with_4_or_are_enough(store: Path, tmp_path: Path) -> None:
    for handles in (8, 20):
        done = ask(f"predict AAPL --offline --data-dir {store}", tmp_path, limited(resource.RLIMIT_NOFILE, handles))
        assert done.returncode in (0, 4), done.stderr
        assert "this is a bug" not in done.stderr


@needs_linux
@pytest.mark.parametrize(
    ("words", "kilobytes"),
    [("fetch --source sample --data-dir new", 100_000), ("predict AAPL", 300_000), ("train demo", 800_000)],
)
def test_too_little_memory_for_the_libraries_is_said_before_they_start(
    words: str, kilobytes: int, tmp_path: Path
) -> None:
    done = ask(words, tmp_path, limited(resource.RLIMIT_AS, kilobytes << 10))
    assert_refused(done, f"the limit of memory (ulimit -v) is {kilobytes:,} KB, but forecast {words.split()[0]} needs")
    assert content(tmp_path) == NOTHING


@needs_linux
def test_a_forecast_needs_no_more_than_400_mb_of_address_space(store: Path, tmp_path: Path) -> None:
    words = f"predict AAPL --offline --run pretrained --data-dir {store} --format json"
    done = ask(words, tmp_path, limited(resource.RLIMIT_AS, 400_000 << 10))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ask(words, tmp_path).stdout


def test_links_in_a_circle_are_one_line(store: Path, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert_refused(ask("fetch --source sample --data-dir a", tmp_path), "Too many levels of symbolic links")
    written = ask(f"predict AAPL --offline --data-dir {store} --output a --format csv", tmp_path)
    assert_refused(written, "a cannot be written: Too many levels of symbolic links; remove the link")
