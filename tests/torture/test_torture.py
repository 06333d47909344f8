"""The short run: a few of the kills of `python -m tests.torture`, for each command that is quick enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.cases import CASES
from tests.torture.harness import calls_of, fresh, kill, results, run
from tests.tracing import needs_strace

KILLS = 4


@needs_strace
@pytest.mark.parametrize("name", ["fetch", "predict", "train"])
def test_a_kill_before_a_file_changing_call_loses_nothing(name: str, base: Path, tmp_path: Path) -> None:
    case, work, home = CASES[name], tmp_path / "work", tmp_path / "home"
    home.mkdir()
    fresh(case, base, work)
    assert run(case.words, work, home).returncode == 0
    expected = results(case, work)
    assert len(expected) == len(case.same)
    calls = calls_of(case, base, work, home)
    assert len(calls) > KILLS
    chosen = calls[:: -(-len(calls) // KILLS)]
    found = [kill(case, call, base, work, home, expected) for call in chosen]
    assert any(one.died for one in found)
    assert {one.call: one.problems for one in found if one.problems} == {}
