"""The long run: `python -m tests.fuzz [READER…] [--count N] [--seed S]` feeds mutated inputs to the command line.

Prints a line for each reader: how many inputs there were, how many ended as a bug, let an escape sequence through, or
took more than two seconds of processor time, the slowest, and how far memory grew. Each finding is printed once a kind.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

from forecaster import cli
from forecaster.workflows.fetch import fetch
from forecaster.workflows.train import train
from tests.fuzz.readers import Base, Feed, readers
from tests.studio import QUICK

SLOW = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*")
    parser.add_argument("--count", type=int, default=1000, help="inputs for each reader")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        base = Base(Path(place))
        fetch(source="sample", data_dir=base.folder / "store")
        quick = (*QUICK, "training.steps=20", "model.hidden_size=4")
        train("gru", settings=quick, data_dir=base.folder / "store", runs_dir=base.folder / "runs", name="small")
        found = readers(base)
        os.chdir(place)
        findings = [fuzz(name, found[name], base, asked.count, asked.seed) for name in asked.readers or found]
    return 1 if any(findings) else 0


def fuzz(name: str, feed: Feed, base: Base, count: int, seed: int) -> int:
    """Feed one reader; returns how many inputs broke a promise."""
    kinds: dict[str, int] = {}
    slowest, before = 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        rng = random.Random(f"{name} {seed} {number}")
        folder = base.folder / "input"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        words = feed(folder, rng)
        began = time.process_time()
        code, shown = said(words)
        took = time.process_time() - began
        slowest = max(slowest, took)
        for kind in broken(code, shown, took):
            if kind not in kinds:
                print(f"  {name} {seed} {number}: {kind}", flush=True)  # noqa: T201
            kinds[kind] = kinds.get(kind, 0) + 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    bad = sum(kinds.values())
    print(f"{name}: {count:,} inputs, {bad} broke a promise, slowest {slowest:.2f} s, memory +{grown} MB", flush=True)  # noqa: T201
    return bad


def said(words: tuple[str, ...] | list[str]) -> tuple[int, str]:
    """Exit code and all output of a command line; -1 if it raised."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.run(list(words))
        except BaseException as error:
            code = -1
            err.write(f"raised {type(error).__name__}: {error}")
    return code, out.getvalue() + err.getvalue()


def broken(code: int, shown: str, took: float) -> list[str]:
    """The promises that an output breaks."""
    found = []
    if code in (1, -1) or "this is a bug" in shown:
        line = next((line for line in shown.splitlines() if "this is a bug" in line or "raised" in line), shown[-200:])
        found.append(re.sub(r"[0-9]+", "0", ascii(line))[:160])
    if any(unicodedata.category(letter) in ("Cc", "Cf") and letter != "\n" for letter in shown):
        found.append("an escape sequence or bidi character is printed")
    if code not in (-1, 0, 1, 2, 3, 4):
        found.append(f"exit code {code}")
    if took > SLOW:
        found.append("more than two seconds")
    return found


if __name__ == "__main__":
    sys.exit(main())
