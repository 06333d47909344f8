"""docs/python.md is so: its blocks run in order, in an empty folder; its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import forecaster
from tests.studio import REPOSITORY, environment

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)


def test_every_block_runs_in_order_in_an_empty_folder(tmp_path: Path) -> None:
    own = {name: value for name, value in environment().items() if not name.startswith("FORECASTER_")}
    script = "\n".join(blocks(PAGE))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, env=own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(2, 3270, 4)" in done.stdout
    assert "torch.Size([60, 4]) torch.Size([5, 4])" in done.stdout
    assert "AAPL 2013-03-01" in done.stdout
    assert "Forecast(AAPL after 2013-03-01, close " in done.stdout
    assert "Forecast(IBM after 2013-03-01, close" in done.stdout
    assert (tmp_path / "aapl.svg").read_text(encoding="utf-8").startswith("<svg")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "runs", "aapl.svg"}


INLINE = sorted({code for code in re.findall(r"`([^`\n]+)`", PAGE) if re.match(r"(from )?forecaster(\.| )\w+", code)})


@pytest.mark.parametrize("code", INLINE)
def test_whatever_the_text_writes_out_is_there_before_a_first_call(code: str) -> None:
    plugin_groups = ("forecaster.models", "forecaster.features", "forecaster.sources", "forecaster.baselines")
    if code in plugin_groups:
        return  # entry points' names, not Python's
    name = code.partition("(")[0]
    script = code if code.startswith("from ") else f"import forecaster; {name}"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_told_of() -> None:
    told = "\n".join(blocks(PAGE)) + PAGE
    assert {name for name in forecaster.__all__ if not re.search(rf"forecaster\.{name}\b", told)} == set()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_every_file_that_is_linked_exists(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not target.startswith("http")]
    assert [target for target in local if not (page.parent / target).exists()] == []
