"""docs/position-size.md is so: its code runs, and its table is what the script prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.studio import REPOSITORY, environment

PAGE = (REPOSITORY / "docs" / "position-size.md").read_text(encoding="utf-8")
SCRIPT = REPOSITORY / "docs" / "examples" / "position_size.py"


def run(folder: Path, *arguments: str) -> str:
    own = {name: value for name, value in environment().items() if not name.startswith("FORECASTER_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(text: str) -> dict[str, list[float]]:
    """The figures of each rule in the table."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {rule: [float(one) for one in re.findall(r"[\d.]+", " ".join(cells))] for rule, *cells in lines}


def test_its_code_runs_as_it_stands(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    close, stop, shares = map(float, re.findall(r"\d+(?:\.\d+)?", run(tmp_path, "-c", code)))
    assert stop < close == 430.47
    assert 0.98 * 500 < shares * (close - stop) <= 500.1


def test_its_table_is_what_the_script_prints(tmp_path: Path) -> None:
    said, made = rows(PAGE), rows(run(tmp_path, str(SCRIPT)))
    assert list(made) == list(said)
    assert list(tmp_path.iterdir()) == []
    for rule, figures in made.items():
        # Fixed stops are the same on every machine, but a network's last digits are not.
        assert figures == pytest.approx(said[rule], **({"abs": 1e-9} if rule[0] != "`" else {"rel": 0.1, "abs": 0.3}))
