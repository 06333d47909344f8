"""Two forecasts for one journal, killed while it is written; the long run is `python -m tests.torture --random 200`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from forecaster.evaluation.journal import JOURNAL, read
from tests.torture.pairs import OTHER, PREDICT, at_the_journal, struck


@pytest.mark.skipif(sys.platform != "linux", reason="finds in /proc who writes the journal")
def test_of_two_forecasts_for_one_journal_one_is_killed_and_nothing_is_lost(base: Path, tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    home.mkdir()
    found = struck((PREDICT, OTHER), at_the_journal(work), base, work, home)
    assert found.killed
    assert found.problems == ()
    assert read(work / "runs" / JOURNAL).ticker.present == {"AAPL", "IBM", "MSFT"}
