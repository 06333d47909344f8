"""The mutants of benchmarks/mutation: which mistakes are made, and that what they name is there."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "mutation"

SOURCE = '''
"""A module of 3 > 2."""

@dataclass(frozen=True)
class Window:
    size: Annotated[int, 7] = field(default=4)

def f(x: Float[8]) -> bool:
    """Not 9."""
    if not x and max(x) >= 1:
        raise ValueError(f"{x + 1} is 2")
    return x.a & x.b
'''


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(FOLDER))
    names = runpy.run_path(str(FOLDER / "run.py"))
    sys.modules.pop("mutants")
    return names


def test_what_is_computed_is_changed_and_what_is_only_said_is_not(run: dict[str, Any]) -> None:
    mutants = run["mutants_of"](SOURCE)
    assert {(one.line, one.change) for one in mutants} == {
        (10, "`not x and max(x) >= 1` → `not x or max(x) >= 1`"),
        (10, "`not x` → `x`"),
        (10, "`max(x) >= 1` → `max(x) > 1`"),
        (10, "`max` → `min`"),
        (10, "`1` → `2`"),
        (10, "`1` → `0`"),
        (12, "`x.a & x.b` → `x.a | x.b`"),
    }
    assert len({one.source for one in mutants}) == len(mutants)


def test_each_target_has_files_with_mutants_and_tests(run: dict[str, Any]) -> None:
    for name, target in run["TARGETS"].items():
        for pattern in target.files:
            assert list((ROOT / "forecaster").glob(pattern)), f"{name}: {pattern}"
        for test in target.tests:
            assert (ROOT / "tests" / f"test_{test}.py").is_file(), f"{name}: {test}"


def test_a_larger_sample_holds_a_smaller_one(run: dict[str, Any]) -> None:
    few, many = (run["_drawn"](list(range(100)), count, 3) for count in (10, 40))
    assert set(few) < set(many)
    assert many == sorted(many)
