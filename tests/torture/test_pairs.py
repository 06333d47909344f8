"""The short run of `python -m tests.torture --random 200`: one moment of two forecasts for one journal."""

from __future__ import annotations

from pathlib import Path

from tests.torture.pairs import PAIRS, moment


def test_one_of_two_commands_is_killed_and_nothing_is_lost(base: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    at_once = {words: 0.0 for pair in PAIRS for words in pair}
    found = moment(0, at_once, base, tmp_path / "work", tmp_path / "home")
    assert found.killed
    assert found.problems == ()
