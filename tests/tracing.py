"""Real processes under strace, which refuses system calls or kills before one of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.studio import environment

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace")


def traced(
    arguments: Sequence[str], cwd: Path, *options: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command under strace, whose own words go nowhere unless `options` name a file."""
    silent = () if "-o" in options else ("-o", "/dev/null")
    return subprocess.run(
        ["strace", "-f", "-qq", *silent, *options, *arguments],
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
    )
