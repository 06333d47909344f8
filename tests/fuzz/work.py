"""A process that feeds inputs to a reader, one after the other, and says what became of each.

It is started anew every few hundred inputs, ends itself at one that takes too long, and may not take all memory.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import random
import re
import resource
import shutil
import signal
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from forecaster import cli
from tests.fuzz.base import Feed

SLOW = 2.0
"""Seconds of processor time that an input may take."""

HANGS = 120
"""Seconds on the clock after which it counts as hanging: the machine may be busy."""

ROOM, TIMES = 200 << 20, 10
"""Bytes that an input may take, and times its own size."""

_CEILING = 6 << 30
"""Bytes of address space beyond what the process has at its start."""


@dataclass(frozen=True)
class Seen:
    """What became of an input.

    Args:
        kinds: the promises it broke, in words.
        seconds: of processor time.
        grown: bytes by which the most memory in use was above that before.
        code: the exit code.
    """

    number: int
    kinds: tuple[str, ...]
    seconds: float
    grown: int
    code: int


def work(feed: Feed, name: str, seed: int, numbers: Sequence[int], folder: Path, answers: Connection) -> None:
    """Feed the numbered inputs; send a number before its input, and what became of it after it."""
    gc.freeze()  # what was there before the fork is not looked through after each input
    allowed = folder.parent
    _watch([str(allowed), *map(os.path.realpath, (allowed, os.devnull))])
    have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (have + _CEILING, have + _CEILING))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for signal_ in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(signal_, signal.SIG_DFL)
    for number in numbers:
        answers.send(number)
        answers.send(seen(feed, name, seed, number, folder))
    answers.close()
    os._exit(0)  # not through what the libraries do at an exit


def seen(feed: Feed, name: str, seed: int, number: int, folder: Path) -> Seen:
    """Make one input and feed it."""
    rng = random.Random(f"{name} {seed} {number}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    asked = feed(folder, rng)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    signal.setitimer(signal.ITIMER_PROF, 10 * SLOW)
    signal.alarm(HANGS)
    gc.collect()
    before, began = _start_peak(), time.process_time()
    _outside.clear()
    code, shown = said(asked)
    took, grown = time.process_time() - began, _peak() - before
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)
    kinds = broken(code, shown, took)
    if grown > ROOM + TIMES * size:
        kinds.append(f"more than {ROOM >> 20} MB and {TIMES} times its size")
    kinds += [f"writes outside: {kind}" for kind in sorted(_outside)]
    return Seen(number, tuple(kinds), took, grown, code)


def said(asked: Sequence[str] | Callable[[], object]) -> tuple[int, str]:
    """Exit code and all output of a command line, or of a call whose errors are shown as a command line's."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli._guarded(lambda: 0 * bool(asked())) if callable(asked) else cli.run(list(asked))
        except BaseException as error:
            code = -1
            err.write(f"raised {type(error).__name__}: {error}")
    return code, out.getvalue() + err.getvalue()


def broken(code: int, shown: str, took: float) -> list[str]:
    """The promises that an output breaks."""
    found = []
    if code in (1, -1) or "this is a bug" in shown or "Traceback" in shown:
        line = next((line for line in shown.splitlines() if "this is a bug" in line or "raised" in line), shown[-200:])
        found.append(re.sub(r"[0-9]+", "0", ascii(line))[:160])
    if any(unicodedata.category(letter) in ("Cc", "Cf") and letter != "\n" for letter in shown):
        found.append("an escape sequence or bidi character is printed")
    if code not in (-1, 0, 1, 2, 3, 4):
        found.append(f"exit code {code}")
    if "needs more memory" in shown or "too little memory" in shown:
        found.append("takes all memory")
    if took > SLOW:
        found.append(f"more than {SLOW:g} seconds")
    return found


_outside: set[str] = set()
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")


def _watch(allowed: list[str]) -> None:
    """Note what this process changes outside of the allowed folders; what C libraries open is not seen by this."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and len(arguments) == 3:
            path, _, flags = arguments
            if isinstance(path, str | bytes | os.PathLike) and isinstance(flags, int) and flags & _WRITES:
                _check(path, allowed)
        elif event in _CHANGES:
            for path in arguments[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    _check(path, allowed)

    sys.addaudithook(hook)


def _check(path: str | bytes | os.PathLike[Any], allowed: list[str]) -> None:
    # A relative path may be below any open folder; what appears in the current one is seen at the end of the run.
    place = os.path.normpath(os.fsdecode(path))
    if place.startswith("/") and not place.startswith(tuple(allowed)):
        _outside.add(re.sub(r"[0-9]+", "0", ascii(place))[:100])


def _start_peak() -> int:
    """Forget the most memory that was in use; what is in use now, in bytes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    for line in _status():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _status() -> Iterator[str]:
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
        yield from file
