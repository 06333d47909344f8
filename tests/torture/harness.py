"""Kills a real command before one of its file-changing system calls, and looks at what is left.

A random moment misses the narrow places: between a folder and the file in it, between two renames. strace lists every
such call of the main thread, and kills the process on entering the one that is asked for. Of a command that works in
several processes, the first one is killed at each of its calls, and then whichever gets first to each call of another.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from forecaster.data.store import Store
from tests.studio import command, environment
from tests.torture.checks import left_over, stored, wounds

CALLS = (
    "mkdir,mkdirat,rmdir,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,ftruncate,"
    "fallocate,chmod,fchmod,fchmodat,fsync,fdatasync,write,pwrite64,writev,pwritev,sendfile,copy_file_range"
)
"""System calls that change files; a file is created by one of them or by an `openat` just before it."""

OPTUNA_LOCK = "runs/.tune-*/journal.log.lock"

Words = tuple[str, ...]
"""A command line, without `forecast`."""

Again = Callable[[Path], Sequence[str]]
"""The command that is to mend all, given the folder that a kill has left."""


@dataclass(frozen=True)
class Case:
    """A command to kill.

    Args:
        words: its command line.
        again: what is run after the kill; the same command if absent.
        same: files that must have the bytes that an undisturbed command gives.
        broken: a ticker whose file is damaged before, which the command is to repair.
        several: it works in several processes.
        gone: what it is to remove.
    """

    words: Words
    again: Again | None = None
    same: tuple[str, ...] = ()
    broken: str = ""
    several: bool = False
    gone: tuple[str, ...] = ()

    def repeated(self, folder: Path) -> Sequence[str]:
        return self.again(folder) if self.again else self.words


@dataclass(frozen=True)
class Kill:
    """What came of one kill.

    Args:
        problems: what was damaged, or not as after an undisturbed command; empty if all is well.
    """

    call: Call
    died: bool
    problems: tuple[str, ...]


def torture_environment(folder: Path) -> Mapping[str, str]:
    """Caches of its own and no bytecode, so that each run makes the same system calls."""
    return environment() | {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def run(words: Sequence[str], cwd: Path, home: Path, *strace: str) -> subprocess.CompletedProcess[str]:
    prefix = ("strace", "-q", *strace) if strace else ()
    return subprocess.run(
        [*prefix, *command(*words)],
        cwd=cwd,
        env=torture_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )


ALL, FIRST = ("-f",), ()
"""Options of strace: all processes and threads are followed, or the first process's main thread alone.

Its faster `--seccomp-bpf` lists calls, but strace 6.1 injects no signal with it where `trace` names calls.
"""


class Call(NamedTuple):
    """A system call, and which one of its kind: strace counts each kind, and each thread, by itself.

    Args:
        first: only the first process may be killed, else the one that gets there first.
    """

    name: str
    number: int
    first: bool

    def __str__(self) -> str:
        return f"{self.name} {self.number}{' of the first process' if self.first else ''}"


def calls_of(case: Case, base: Path, work: Path, home: Path) -> list[Call]:
    """The file-changing system calls of an undisturbed command, in their order: of its main thread, or of all."""
    fresh(case, base, work)
    log = work.with_suffix(".log")
    done = run(case.words, work, home, *ALL, "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(log))
    assert done.returncode in (0, 3), done.stderr
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    main = lines[0].split()[0]
    made: Counter[tuple[str, str]] = Counter()
    calls: dict[Call, None] = {}
    for line in lines:
        if found := re.match(r"(\d+) +([a-z0-9_]+)\(", line):
            who, name = found.groups()
            made[who, name] += 1
            if who == main or case.several:
                calls[Call(name, made[who, name], first=case.several and who == main)] = None
    return list(calls)


def fresh(case: Case, base: Path, work: Path) -> None:
    """The folder that the command begins in."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work)
    if case.broken:
        path = Store(work / "store").path(case.broken)
        path.write_bytes(path.read_bytes()[:-1000])


def kill(
    case: Case, call: Call, base: Path, work: Path, home: Path, expected: Mapping[str, bytes], patient: bool = True
) -> Kill:
    """Kill before a call, check what is there, repeat, and compare with the undisturbed result.

    Args:
        patient: the repeated command waits until Optuna gives a killed process's lock up, which takes half a minute;
            else the lock is removed here.
    """
    fresh(case, base, work)
    before, log = stored(work), work.with_suffix(".log")
    inject = ("-o", str(log), "-e", f"trace={call.name}", "-e", f"inject={call.name}:signal=KILL:when={call.number}")
    done = run(case.words, work, home, *(FIRST if call.first else ALL), *inject)
    died = "killed by SIGKILL" in log.read_text(encoding="utf-8", errors="replace")
    known = [wound for wound in wounds(work) if not case.broken or not wound.startswith(case.broken)]
    problems = [*known, *(f"{name} is lost" for name in before if name not in stored(work))]
    for lock in () if patient else work.glob(OPTUNA_LOCK):
        lock.unlink()
    again = run(case.repeated(work), work, home)
    problems += failure(done, (4,)) if done.returncode > 0 and died else []  # one of its processes was killed
    problems += [f"repeated, {one}" for one in failure(again)]
    problems += unlike_undisturbed(case, work, expected)
    return Kill(call, died, tuple(problems))


def failure(done: subprocess.CompletedProcess[str], expected: Container[int] = (0, 3)) -> list[str]:
    """What is wrong with how a command ended."""
    lines = done.stderr.strip().splitlines()
    if done.returncode not in expected:
        return [f"it ends with {done.returncode}: {lines[-1:]}"]
    return [f"it says: {line}" for line in lines if "this is a bug" in line or line.startswith("Traceback")]


def unlike_undisturbed(case: Case, work: Path, expected: Mapping[str, bytes]) -> list[str]:
    """What is not as after an undisturbed command."""
    problems = [f"after it: {wound}" for wound in wounds(work)]
    problems += [f"{path} is left over" for path in (*left_over(work), *case.gone) if (work / path).exists()]
    found = results(case, work)
    return problems + [f"{name} differs" for name in expected if found.get(name) != expected[name]]


def results(case: Case, work: Path) -> dict[str, bytes]:
    """The bytes of the files that must be the same; a killed trial keeps its number, so that the next has another."""
    found = {name: (work / name).read_bytes() for name in case.same if (work / name).is_file()}
    return {name: re.sub(rb"\(trial \d+\)", b"", content) for name, content in found.items()}
