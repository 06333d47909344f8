"""A real terminal for a real process: a pseudo-terminal of so many columns, and every line that was ever on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path
from typing import NamedTuple

from tests.studio import command, environment

_CODE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


class Shown(NamedTuple):
    """What a command did on a terminal.

    Args:
        lines: in order, those of a bar as often as it was drawn; without colours.
        raw: all that was written.
    """

    code: int
    lines: list[str]
    raw: str


def on_terminal(*arguments: str, cwd: Path, columns: int = 80, **more: str) -> Shown:
    """Run `forecast` with both streams on a terminal; `more` is set in its environment."""
    kept = {key: value for key, value in environment().items() if key not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments), cwd=cwd, env=kept | {"TERM": "xterm"} | more, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # Linux says so when the other side is closed
        while part := os.read(ours, 65536):
            written += part
    os.close(ours)
    raw = written.decode()
    return Shown(process.wait(), [line.rstrip() for line in re.split(r"[\r\n]+", _CODE.sub("", raw))], raw)
