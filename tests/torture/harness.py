"""Kills a real command before one of its file-changing system calls, and looks at what is left.

A random moment misses the narrow places: between a folder and the file in it, between two renames. strace lists every
such call of the main thread, and kills the process on entering the one that is asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.data.store import Store
from forecaster.evaluation.journal import JOURNAL, read, verify
from forecaster.evaluation.ledgerfile import NAME, content_of, parse
from forecaster.modelfile import read_model
from forecaster.runs.folder import CONFIG, MODEL
from tests.damage import damaged
from tests.studio import command, environment

CALLS = (
    "mkdir,mkdirat,rmdir,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,truncate,ftruncate,"
    "fallocate,chmod,fchmod,fchmodat,fsync,fdatasync,write,pwrite64,writev,pwritev,sendfile,copy_file_range"
)
"""System calls that change files; a file is created by one of them or by an `openat` just before it."""

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
    """

    words: tuple[str, ...]
    again: Again | None = None
    same: tuple[str, ...] = ()
    broken: str = ""

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
    prefix = ("strace", "-f", "--seccomp-bpf", "-qq", *strace) if strace else ()
    return subprocess.run(
        [*prefix, *command(*words)],
        cwd=cwd,
        env=torture_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )


Call = tuple[str, int]
"""A system call, and which one of its kind: strace counts each kind by itself."""


def calls_of(case: Case, base: Path, work: Path, home: Path) -> list[Call]:
    """The file-changing system calls that the main thread of an undisturbed command makes, in their order."""
    fresh(case, base, work)
    log = work.with_suffix(".log")
    done = run(case.words, work, home, "-e", f"trace={CALLS}", "-o", str(log))
    assert done.returncode in (0, 3), done.stderr
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    main = lines[0].split()[0]
    made: Counter[str] = Counter()
    calls = []
    for line in lines:
        found = re.match(rf"{main} +([a-z0-9_]+)\(", line)
        if found:
            made[found[1]] += 1
            calls.append((found[1], made[found[1]]))
    return calls


def fresh(case: Case, base: Path, work: Path) -> None:
    """The folder that the command begins in."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work)
    if case.broken:
        path = Store(work / "store").path(case.broken)
        path.write_bytes(path.read_bytes()[:-1000])


def kill(case: Case, call: Call, base: Path, work: Path, home: Path, expected: Mapping[str, bytes]) -> Kill:
    """Kill before a call, check what is there, repeat, and compare with the undisturbed result."""
    fresh(case, base, work)
    before = stored(work)
    done = run(case.words, work, home, "-o", "/dev/null", "-e", f"inject={call[0]}:signal=KILL:when={call[1]}")
    died = done.returncode in (-9, 137)
    known = [wound for wound in wounds(work) if not case.broken or not wound.startswith(case.broken)]
    problems = [*known, *(f"{name} is lost" for name in before if name not in stored(work))]
    again = run(case.repeated(work), work, home)
    if again.returncode not in (0, 3):
        problems.append(f"repeated, it ends with {again.returncode}: {again.stderr.strip().splitlines()[-1:]}")
    if "this is a bug" in done.stderr + again.stderr:
        problems.append(f"a bug: {again.stderr.strip()[-200:]}")
    problems += [f"after it: {wound}" for wound in wounds(work)]
    problems += [f"{path} is left over" for path in left_over(work)]
    found = results(case, work)
    problems += [f"{name} differs" for name in expected if found.get(name) != expected[name]]
    return Kill(call, died, tuple(problems))


def stored(work: Path) -> set[str]:
    return {f"{ticker} in the store" for ticker in Store(work / "store").tickers()}


def wounds(work: Path) -> list[str]:
    """What no command may ever find."""
    found = [f"{ticker} is damaged" for ticker in damaged(Store(work / "store"))]
    for model in (work / "runs").glob(f"*/{MODEL}"):
        if not model.parent.name.startswith("."):
            found += _tried(lambda model=model: read_model(model))
            found += [] if (model.parent / CONFIG).is_file() else [f"{model.parent.name} has no config"]
    journal = work / "runs" / JOURNAL
    if journal.exists():
        if wound := _tried(lambda: read(journal)):
            return [*found, *wound]
        found += _tried(lambda: verify(journal)) if len(read(journal)) else []
        found += ["the journal has damaged rows"] if not found and read(journal).damaged else []
    bad = parse(content_of(work / "store" / NAME), work / "runs").damaged
    # The last line may be cut short: the next writer begins a new one.
    return [*found, *(["the ledger has damaged lines"] if bad > 1 else [])]


def _tried(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except Exception as error:  # any at all is a wound
        return [f"{type(error).__name__}: {error}"]
    return []


def left_over(work: Path) -> list[str]:
    """Temporary files, and checkpoints of finished runs."""
    parts = [path for path in work.rglob("*") if path.name.endswith((".part", ".making"))]
    done = [path for path in (work / "runs").glob("*/checkpoint-*") if (path.parent / MODEL).is_file()]
    return [str(path.relative_to(work)) for path in (*parts, *done)]


def results(case: Case, work: Path) -> dict[str, bytes]:
    """The bytes of the files that must be the same."""
    return {name: (work / name).read_bytes() for name in case.same if (work / name).is_file()}
