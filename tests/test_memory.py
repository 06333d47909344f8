"""The memory benchmark: its README is what the recorded results say, and it measures what it says it measures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.studio import REPOSITORY, environment

FOLDER = REPOSITORY / "benchmarks" / "memory"


def run(*arguments: str) -> None:
    """The benchmark as its README names it."""
    command = [sys.executable, str(FOLDER / "run.py"), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_readme_is_what_the_recorded_results_say(tmp_path: Path) -> None:
    for name in ("README.md", "results.json"):
        shutil.copy(FOLDER / name, tmp_path)
    run("--render", "--output", str(tmp_path))
    assert (tmp_path / "README.md").read_text() == (FOLDER / "README.md").read_text()
    assert (tmp_path / "memory.svg").read_text().count("<svg") == 1


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One seed, over three steps: every cell recalls that within a few training steps."""
    folder = tmp_path_factory.mktemp("memory")
    run("--seeds", "1", "--delays", "3", "--output", str(folder))
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def test_every_cell_recalls_over_three_steps_and_stops_early(short: dict[str, Any]) -> None:
    assert len(short["recalled"]) == 5
    for (one,) in (own["3"] for own in short["recalled"].values()):
        assert one["steps"] < short["most_steps"] / 10
        assert one["share"] > 0.97


def test_the_largest_gradient_is_one(short: dict[str, Any]) -> None:
    for curves in short["gradient"].values():
        assert {label: max(curve) for label, curve in curves.items()} == dict.fromkeys(short["recalled"], 1.0)
