"""No command reaches for the network but `fetch`, and forecasts of a ticker that the store lacks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from forecaster.workflows.train import TrainedRun
from tests.studio import command, environment, settings
from tests.tracing import needs_strace, traced

pytest_plugins = ("tests.studio_fixtures",)

QUIET = [
    ("train", "gru", *settings("training.steps=2", "model.hidden_size=2"), "--name", "new", "--quiet"),
    ("predict", "AAPL", "--run", "small", "--offline", "--plot", "x.html"),
    ("predict", "AAPL", "--run", "small"),
    ("risk", "AAPL=10", "--run", "small"),
    ("odds", "AAPL", "--run", "small"),
    ("backtest", "small"),
    ("report", "small"),
    ("score",),
    ("doctor",),
    ("runs", "list"),
    ("data", "verify"),
    ("fetch", "--source", "sample"),
]


def sockets(folder: Path, *words: str) -> list[str]:
    """The internet sockets that a command opened, of any process or library."""
    log = folder / "calls.txt"
    places = ["--data-dir", "store"] + (["--runs-dir", "runs"] if words[0] not in ("fetch", "data") else [])
    if words[0] == "predict":  # so that the journal has something to score
        (folder / "runs" / "journal.sqlite").unlink(missing_ok=True)
    env = environment() | {"HOME": str(folder)}
    traced(command(*words, *places), folder, "--seccomp-bpf", "-e", "trace=socket,connect", "-o", str(log), env=env)
    return re.findall(r"AF_INET6?", log.read_text(encoding="utf-8", errors="replace"))


@pytest.fixture
def place(trained: TrainedRun, store: Path, tmp_path: Path) -> Path:
    shutil.copytree(store, tmp_path / "store")
    shutil.copytree(trained.folder, tmp_path / "runs" / "small")
    return tmp_path


@needs_strace
@pytest.mark.parametrize("words", QUIET, ids=lambda words: " ".join(words[:2]))
def test_a_command_opens_no_internet_socket(words: tuple[str, ...], place: Path) -> None:
    assert sockets(place, *words) == []


@needs_strace
def test_a_fetch_from_yahoo_does(place: Path) -> None:
    assert sockets(place, "fetch", "NOSUCH", "--workers", "1")
