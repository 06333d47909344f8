"""The short run of `python -m tests.torture --disk`: a small disk that is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.cases import CASES
from tests.torture.disk import run_when_full, small_disk
from tests.torture.harness import fresh, results, run


@pytest.mark.parametrize("name", ["fetch", "predict"])
def test_a_full_disk_ends_with_4_and_nothing_is_lost(name: str, base: Path, tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    home.mkdir()
    fresh(CASES[name], base, work)
    assert run(CASES[name].words, work, home).returncode == 0
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("a tmpfs cannot be mounted: that takes root")
        assert run_when_full(name, 8, base, disk, home, results(CASES[name], work)) == (4, [])
