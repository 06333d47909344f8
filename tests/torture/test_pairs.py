"""Two forecasts for one journal, killed while it is written; the long run is `python -m tests.torture --random 200`."""

from __future__ import annotations

from pathlib import Path

from forecaster.evaluation.journal import JOURNAL, read
from tests.marks import needs_linux
from tests.torture.pairs import OTHER, PREDICT, at_the_journal, struck


@needs_linux
def test_of_two_forecasts_for_one_journal_one_is_killed_and_nothing_is_lost(base: Path, tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    home.mkdir()
    found = struck((PREDICT, OTHER), at_the_journal(work), base, work, home)
    assert found.killed
    assert found.problems == ()
    assert read(work / "runs" / JOURNAL).ticker.present == {"AAPL", "IBM", "MSFT"}
