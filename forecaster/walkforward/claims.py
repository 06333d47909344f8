"""Who works on which fold: files in the shared folder that any process, on any machine that sees it, can read.

A claim is a file that only one process can create. Its owner renews the file's time of change until the fold is done.
A claim counts no more once its owner is dead: a process on this machine is looked up, one elsewhere is dead when it has
not renewed its claim for a while. What is claimed anew gets a new file, `claim-3-1` after `claim-3-0`: removing
another's claim would race with a third process that has just replaced it.

A fold fitted twice is no harm, only a waste: both write the same bytes to a temporary name and rename it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forecaster.files import outside_errors, read_text

BEAT = 10.0
"""Seconds between two renewals of a claim."""

SILENT = 120.0
"""Seconds without a renewal after which a process on another machine counts as dead."""


_GENERATION = re.compile("[0-9]{1,9}")

_LARGEST = 4096
"""Bytes of a claim."""


@dataclass
class Claims:
    """The claims of this process in a folder, made by `claims`.

    Args:
        held: the files of the folds that it works on.
        here: name of the file that tells that it is here.
    """

    folder: Path
    held: dict[int, Path] = field(default_factory=dict)
    here: str = field(default_factory=lambda: f"present-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self, number: int) -> bool:
        """Claims a fold; False if another process that is alive has claimed it."""
        if self.holder(number) is not None:
            return False
        files = _files(self.folder, number)
        path = self.folder / f"claim-{number}-{_generation(files[-1]) + 1 if files else 0}"
        with outside_errors(path):
            if not _create(path):
                return False
        self.held[number] = path
        return True

    def release(self, number: int) -> None:
        """Gives a fold back, which is done or has failed."""
        if path := self.held.pop(number, None):
            path.unlink(missing_ok=True)

    def holder(self, number: int) -> str | None:
        """`HOST:PID` of the process that works on a fold; None if none does."""
        files = _files(self.folder, number)
        return _owner(files[-1]) if files else None

    def others(self) -> bool:
        """Whether another process is at work in the folder."""
        return any(_owner(path) for path in self.folder.glob("present-*") if path.name != self.here)

    def renew(self) -> None:
        """Sets the time of change of all files of this process to now."""
        for path in (self.folder / self.here, *list(self.held.values())):
            with contextlib.suppress(OSError):  # a file system that is gone for a moment is no reason to fail
                os.utime(path)

    def beat(self) -> None:
        """Renews the claims until `ended`."""
        while not self.ended.wait(BEAT):
            self.renew()


@contextlib.contextmanager
def claims(folder: Path) -> Iterator[Claims]:
    """The claims of this process, which are given back at the end, whatever the end is.

    Raises:
        OutsideError: the folder cannot be written.
    """
    found = Claims(folder)
    with _door(folder), outside_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _create(folder / found.here)
    beat = threading.Thread(target=found.beat, daemon=True)
    beat.start()
    try:
        yield found
    finally:
        found.ended.set()
        for number in list(found.held):
            found.release(number)
        (folder / found.here).unlink(missing_ok=True)


@contextlib.contextmanager
def alone(found: Claims) -> Iterator[bool]:
    """Whether no other process is in the folder; while this lasts, none comes in."""
    with _door(found.folder):
        yield not found.others()


@contextlib.contextmanager
def _door(folder: Path) -> Iterator[None]:
    """One process at a time comes into a folder, or leaves it for good.

    A file system without locks has none: there, only two processes that meet to the millisecond can disturb each other.
    """
    from filelock import FileLock

    with outside_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / ".backtests.lock")
    try:
        lock.acquire()
    except (NotImplementedError, OSError):
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _create(path: Path) -> bool:
    """Creates a claim; False if it is there already."""
    about = {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid())}
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            json.dump(about, file)
    except OSError:  # a full disk
        path.unlink(missing_ok=True)
        raise
    return True


def _owner(path: Path) -> str | None:
    """`HOST:PID` of a claim's owner; None if it is dead."""
    try:
        about, changed = _read(path), path.stat().st_mtime
    except FileNotFoundError:
        return None
    name = f"{about.host.partition('/')[0]}:{about.pid or ''}"
    if about.host == _host() and os.name == "posix":
        return name if about.started == _started(about.pid) else None
    return name if _now(path.parent) - changed < SILENT else None


@dataclass(frozen=True)
class _About:
    """What a claim says of its owner."""

    host: str = "unknown"
    pid: int = 0
    started: str | None = None


def _read(path: Path) -> _About:
    """A claim; that of nobody known if it was created this moment and not written yet, or is damaged.

    Raises:
        FileNotFoundError: it was given back.
    """
    try:
        about = _About(**json.loads(read_text(path, _LARGEST)))
        whole = 0 < about.pid < 1 << 31 and isinstance(about.pid, int) and isinstance(about.host, str)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, RecursionError):
        return _About()
    return about if whole else _About()


def _files(folder: Path, number: int) -> list[Path]:
    """All claims of a fold, the last one last."""
    found = (path for path in folder.glob(f"claim-{number}-*") if _GENERATION.fullmatch(path.name.rpartition("-")[2]))
    return sorted(found, key=_generation)


def _generation(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _now(folder: Path) -> float:
    """The time by the clock of the file system, which need not be this machine's."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return time.time()


def _host() -> str:
    """This machine and, in a container, its own numbering of processes."""
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()}/{space}"


def _started(pid: int) -> str | None:
    """When a process of this machine was started, since numbers of processes are used again; None if it is dead."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""  # not Linux
    return None if state in "ZX" else rest[18]
