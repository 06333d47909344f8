"""The folder that tortured commands begin in, made once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.cases import make_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torture") / "base"
    make_base(folder)
    return folder
