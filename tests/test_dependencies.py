"""Every package that an install brings is explained on one line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_lists_exactly_the_packages_of_the_base_install() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {re.match(r"[a-z0-9-]+", line).group() for line in project["dependencies"]}  # type: ignore[union-attr]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([a-z0-9-]+) \| [0-9.]+ \| .+ \|$", page, re.MULTILINE)
    assert set(listed) == required
    assert len(listed) == len(required)
