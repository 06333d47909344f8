"""The case study: its text is the template filled from the recorded results, and its claims are what these say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.studio import REPOSITORY, environment

FOLDER = REPOSITORY / "docs" / "case_study"
PAGE = REPOSITORY / "docs" / "case-study.md"
NAMES = r"\[N, T, 4\]|N-to-1"


def render(folder: Path, results: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Text and pictures from results, by the real command."""
    (folder / "results.json").write_text(json.dumps(results))
    places = ["--results", "results.json", "--output", "case-study.md", "--pictures", "pictures"]
    command = [sys.executable, str(FOLDER), "--render", *places]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def results() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    return recorded


def test_text_and_pictures_are_made_of_the_recorded_results(results: dict[str, Any], tmp_path: Path) -> None:
    done = render(tmp_path, results)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "case-study.md").read_text() == PAGE.read_text()
    shown = re.findall(r"\(pictures/case-study/(\w+)\.svg\)", PAGE.read_text())
    assert sorted(shown) == sorted(path.stem for path in (tmp_path / "pictures").iterdir())
    for name in shown:
        assert (PAGE.parent / "pictures" / "case-study" / f"{name}.svg").is_file()


def test_no_number_is_typed_by_hand() -> None:
    template = (FOLDER / "template.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|`[^`]*`|\{[^{}]*\}", "", template, flags=re.DOTALL)
    assert re.findall(r"\d+", re.sub(NAMES, "", prose)) == []


def test_every_formula_stands_beside_the_networks(results: dict[str, Any]) -> None:
    rows = dict(re.findall(r"^\| (DNN|RNN|LSTM|GRU|`[\w-]+`) \| (.*) \|$", PAGE.read_text(), flags=re.MULTILINE))
    formulas = {"ewma-garman-klass", "har", "harx", "climatology"}
    assert set(rows) == {
        "DNN",
        "RNN",
        "LSTM",
        "GRU",
        "`ewma-random-walk`",
        "`last-close`",
        *(f"`{name}`" for name in formulas),
    }
    for name in formulas:
        assert f" {results['runs'][name][0]['skill']:+.2%} " in rows[f"`{name}`"]


def broken(results: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    inner: Any = results
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return results


@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        (("usual", "MSFT", "lag"), 0, "one day late"),
        (("usual", "IBM", "times"), 0.9, "yesterday's close misses by less"),
        (("runs", "gru", 0, "skill"), -0.001, "has skill over the random walk"),
        (("runs", "har", 0, "skill"), -0.001, "Garman-Klass, HAR and least squares"),
        (("runs", "climatology", 0, "skill"), 0.001, "climatology falls short"),
        (("fan", "before", -1), 174.0, "the prices of one day"),
        (("outcomes", "free", "right"), 0.58, "the direction is about a coin"),
        (("outcomes", "gru", "range_actual"), [0.03, 0.02, 0.01, 0.02, 0.03], "were wider"),
        (("outcomes", "gru", "range_actual", 0), 0.009, "is exaggerated"),
    ],
)
def test_prose_cannot_contradict_the_numbers(
    results: dict[str, Any], path: tuple[str | int, ...], value: Any, claim: str, tmp_path: Path
) -> None:
    done = render(tmp_path, broken(results, *path, value=value))
    assert done.returncode == 1
    assert "claim does not hold: " in done.stderr
    assert claim in done.stderr
    assert not (tmp_path / "case-study.md").exists()
