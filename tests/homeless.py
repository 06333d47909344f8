"""Processes of a user without a home: a container's bare user id, for which `/etc/passwd` has no entry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.studio import environment

NO_ENTRY = (
    "import pwd, sys\ndef getpwuid(uid): raise KeyError(f'getpwuid(): uid not found: {uid}')\npwd.getpwuid = getpwuid\n"
)

HOMES = {"unset": None, "empty": "", "relative": "home", "not there": "/nonexistent", "read-only": "/proc"}
"""What `HOME` may be there."""


def homeless(code: str, *arguments: str, cwd: Path, home: str | None) -> subprocess.CompletedProcess[str]:
    """Run code as that user, whose entry is hidden from the process: no rights are needed for it."""
    unset = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "USER", "LOGNAME")
    kept = {key: value for key, value in environment().items() if key not in unset}
    return subprocess.run(
        [sys.executable, "-c", NO_ENTRY + code, *arguments],
        cwd=cwd,
        env=kept | ({} if home is None else {"HOME": home}),
        capture_output=True,
        text=True,
        check=False,
    )
