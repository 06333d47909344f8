"""Runs a command and measures what it took: seconds, processor, and the most anonymous memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

_EVERY = 0.05
"""Seconds between two looks at /proc."""


class Cost(NamedTuple):
    """Wall and processor seconds; the peak of RssAnon in bytes, summed over the process and its children."""

    wall: float
    cpu: float
    peak: int


def cost(*arguments: str, log: Path) -> Cost:
    """Run `forecast` with some arguments; its output goes to a file.

    Raises:
        CalledProcessError: it failed; a part that failed (exit code 3) counts as success.
    """
    command = [str(Path(sys.executable).with_name("forecast")), *arguments]
    with log.open("wb") as file:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=file, stderr=file)
        peak = 0
        while True:
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, sum(_anonymous(one) for one in _family(child.pid)))
            time.sleep(_EVERY)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3):
        print(log.read_text(encoding="utf-8", errors="replace")[-2000:], file=sys.stderr)
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(time.perf_counter() - begun, used.ru_utime + used.ru_stime, peak)


def _family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)
