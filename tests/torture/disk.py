"""A disk that is full: a small tmpfs, of which a file takes all but a few kilobytes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.torture.cases import CASES
from tests.torture.checks import stored, wounds
from tests.torture.harness import failure, fresh, run, unlike_undisturbed

SIZE = 64 << 20
FREE = (0, 8, 40, 200)
"""Kilobytes that are left on the disk."""

WRITING = ("fetch", "train", "predict", "backtest", "tune", "report", "export")


@contextmanager
def small_disk(place: Path) -> Iterator[Path | None]:
    """A tmpfs of `SIZE` bytes at a new folder; None where mounting is refused."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path, free: int) -> Path:
    """A file that leaves so many kilobytes."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        left = shutil.disk_usage(disk).free - (free << 10)
        while left > 0 and (wrote := _write(file.fileno(), min(left, 1 << 20))):
            left -= wrote
    return filler


def _write(handle: int, size: int) -> int:
    try:
        return os.write(handle, bytes(size))
    except OSError:
        return 0


def run_when_full(
    name: str, free: int, base: Path, disk: Path, home: Path, expected: Mapping[str, bytes]
) -> tuple[int, list[str]]:
    """The exit code on a full disk, and what was not as promised then and after space is freed."""
    case, work = CASES[name], disk / "work"
    fresh(case, base, work)
    before = stored(work)
    filler = fill(disk, free)
    done = run(case.words, work, home)
    problems = [] if done.returncode == 0 else failure(done, (3, 4))
    lines = done.stderr.strip().splitlines()
    if done.returncode == 4 and len([line for line in lines if line.startswith("error: ")]) != 1:
        problems.append(f"no line of error: {lines}")
    problems += [*wounds(work), *(f"{one} is lost" for one in before if one not in stored(work))]
    filler.unlink()
    again = run(case.repeated(work), work, home)
    problems += [f"with space, {one}" for one in (*failure(again), *unlike_undisturbed(case, work, expected))]
    return done.returncode, problems
