"""docs/tour.ipynb runs in a real kernel, offline, and its stored outputs are those that it gives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.studio import REPOSITORY, environment

TOUR = REPOSITORY / "docs" / "tour.ipynb"
Cells = list[dict[str, Any]]


def cells(file: Path) -> Cells:
    found: Cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return [one for one in found if one["cell_type"] == "code"]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    file = tmp_path_factory.mktemp("tour") / "executed.ipynb"
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    own = {name: value for name, value in environment().items() if not name.startswith("FORECASTER_")}
    done = subprocess.run(
        [sys.executable, REPOSITORY / "docs" / "tour.py", file],
        env=own | offline, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return cells(file)


def kinds(cell: dict[str, Any]) -> list[tuple[str, ...]]:
    return [(one["output_type"], one.get("name", ""), *sorted(one.get("data", ()))) for one in cell["outputs"]]


def test_every_cell_runs_and_gives_what_is_stored(executed: Cells) -> None:
    stored = cells(TOUR)
    assert ["".join(one["source"]) for one in executed] == ["".join(one["source"]) for one in stored]
    assert [kinds(one) for one in executed] == [kinds(one) for one in stored], "refresh it: make tour"
    printed = ["".join(one["outputs"][0].get("text", "")) for one in (executed[0], stored[0])]
    assert printed[0] == printed[1]
    assert all(kind[:2] in {("stream", "stdout"), ("execute_result", "")} for cell in executed for kind in kinds(cell))


def test_a_reader_of_the_stored_notebook_sees_pictures_tables_and_the_verdict() -> None:
    text = TOUR.read_text(encoding="utf-8")
    shown = {kind for cell in cells(TOUR) for output in cell["outputs"] for kind in output.get("data", {})}
    assert shown >= {"text/html", "image/png"}
    assert re.search(r"Run tour.*(No evidence of skill|Skill|Worse than a simple formula)", text)
    assert not re.search(r"/(tmp|home|root|work)/", text), "no machine's own folders"
    assert len(text) < 300_000


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", TOUR.read_text(encoding="utf-8")))
def test_every_file_that_is_linked_exists(target: str) -> None:
    assert (TOUR.parent / target).is_file()
