"""The long run: `python -m tests.fuzz [READER…] [--count N] [--seed S]` feeds N mutated inputs, divided among readers.

Nineteen of twenty go to the reader alone, through the command line's own handling of errors; one goes through the
whole command. Prints a line for each reader: how many inputs broke a promise (a bug, an escape sequence or bidi
character on the terminal, more than two seconds of processor time, more memory than 200 MB and ten times the input's
size, a file outside of the given folders, a crash), the slowest, and the most memory. Each finding is printed once a
kind, with its number: `--only NUMBER` feeds that one again. Linux only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.base import Base, Feed
from tests.fuzz.work import Seen, said, seen, work

BATCH = 400
"""Inputs of a process."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*")
    parser.add_argument("--count", type=int, default=10_000, help="inputs, of all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, help="feed the one input with this number, and show what is said")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        from tests.fuzz.readers import readers

        _move_in(Path(place))
        base = Base(Path(place) / "given")
        base.make()
        found = readers(base)
        names = asked.readers or list(found)
        if asked.only is not None:
            return sum(_again(found[name], name, asked.seed, asked.only, base.folder / "input") for name in names)
        before, began = _outside_of(base, place), time.monotonic()
        with ThreadPoolExecutor(asked.workers) as pool:
            sums = list(
                pool.map(lambda name: fuzz(name, found[name], base, asked.seed, -(-asked.count // len(names))), names)
            )
        appeared = _outside_of(base, place) - before
    total, bad = sum(one.inputs for one in sums), sum(one.bad for one in sums) + len(appeared)
    for path in sorted(appeared):
        print(f"  a file outside of the given folders: {path!a}")  # noqa: T201
    print(  # noqa: T201
        f"{total:,} inputs of {len(sums)} readers: {bad} broke a promise; slowest {max(o.slowest for o in sums):.2f} s,"
        f" the most memory {max(o.grown for o in sums) >> 20} MB; {(time.monotonic() - began) / 60:.0f} minutes, "
        f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime:.0f} s of processor time"
    )
    return 1 if bad else 0


def _move_in(place: Path) -> None:
    """All that belongs to a user lies in the temporary folder; the current folder is empty."""
    for name in ("given", "home", "tmp", "here"):
        (place / name).mkdir()
    os.environ |= {"HOME": str(place / "given" / "home"), "XDG_CACHE_HOME": str(place / "given" / "home" / "cache")}
    os.environ |= {"TMPDIR": str(place / "given"), "OMP_NUM_THREADS": "1"}
    tempfile.tempdir = None
    os.chdir(place / "here")


def _outside_of(base: Base, place: str) -> set[str]:
    """Files beside the given folder."""
    return {str(path) for path in Path(place).rglob("*") if base.folder not in path.parents and path != base.folder}


@dataclass
class Sum:
    """What became of the inputs of a reader."""

    inputs: int = 0
    bad: int = 0
    slowest: float = 0.0
    grown: int = 0
    refused: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, one: Seen) -> None:
        self.inputs += 1
        self.refused += one.code != 0
        self.slowest, self.grown = max(self.slowest, one.seconds), max(self.grown, one.grown)
        self.bad += bool(one.kinds)
        for kind in one.kinds:
            if kind not in self.kinds:
                print(f"  {name} {one.number}: {kind}", flush=True)  # noqa: T201
            self.kinds[kind] = self.kinds.get(kind, 0) + 1


def fuzz(name: str, feed: Feed, base: Base, seed: int, count: int) -> Sum:
    """Feed one reader, in processes of `BATCH` inputs; one that dies is followed by another from the next input on."""
    found, folder = Sum(), base.folder / f"input-{name.replace(' ', '-')}"
    numbers = list(range(count))
    while numbers:
        for one in _batch(name, feed, seed, numbers[:BATCH], folder):
            found.add(name, one)
        numbers = numbers[found.inputs - (count - len(numbers)) :]
    print(  # noqa: T201
        f"{name}: {found.inputs:,} inputs, {found.refused:,} refused, {found.bad} broke a promise, slowest "
        f"{found.slowest:.2f} s, memory +{found.grown >> 20} MB",
        flush=True,
    )
    return found


def _batch(name: str, feed: Feed, seed: int, numbers: Sequence[int], folder: Path) -> Iterator[Seen]:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=work, args=(feed, name, seed, numbers, folder, there), daemon=True
    )
    process.start()
    there.close()
    begun: int | None = None
    try:
        while True:
            answer = here.recv()
            begun = answer if isinstance(answer, int) else None
            if isinstance(answer, Seen):
                yield answer
    except EOFError:
        process.join()
    if begun is not None or process.exitcode:
        yield Seen(begun or numbers[0], (f"the process ended with {process.exitcode}",), 0.0, 0, -1)


def _again(feed: Feed, name: str, seed: int, number: int, folder: Path) -> int:
    """Feed one input, say what became of it, and then what it says."""
    found = seen(feed, name, seed, number, folder)
    print(found)  # noqa: T201
    import random
    import shutil

    shutil.rmtree(folder)
    folder.mkdir()
    print(ascii(said(feed(folder, random.Random(f"{name} {seed} {number}")))))  # noqa: T201
    return bool(found.kinds)


if __name__ == "__main__":
    sys.exit(main())
