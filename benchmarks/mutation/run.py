"""Would a test notice? Small mistakes are made in the package, one at a time, and the tests that concern them are run.

`python benchmarks/mutation/run.py [TARGET …] [--sample 25] [--seed 0] [--jobs 2]`

A mutant is a copy of the package with one comparison, operator, constant, `and`, `not`, maximum or minimum changed. It
is killed where a test fails, or runs out of its seconds of processor time, and survives where all pass. Each has a
process and a folder of its own: the working tree is not touched. Prints the survivors and a table.

Ends with 1 where the tests fail without any mistake.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]

SECONDS = 60
"""Of processor time that a mutant has; the tests of a target take five."""

_OPTIONS = ("-x", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

KILLED, SURVIVED = "killed", "survived"


class Target(NamedTuple):
    """What is mutated, and the tests that should notice, the quickest first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    options: tuple[str, ...] = ()


TARGETS = {
    "features": Target(
        tuple(f"features/{name}.py" for name in ("append", "blocks", "candles", "compute", "ewma", "state", "tail")),
        ("ewma", "candles", "growth", "tail", "market", "feature_groups"),
    ),
    "groups": Target(("features/groups/*.py",), ("season_groups", "feature_groups")),
    "dataset": Target(("features/dataset.py",), ("dataset", "tail")),
    "calibration": Target(
        ("inference/calibration.py", "inference/shift.py", "inference/width.py"), ("width", "calibration")
    ),
    "metrics": Target(("evaluation/metrics.py",), ("metrics", "widths")),
    "significance": Target(("evaluation/significance.py",), ("significance",)),
    "splits": Target(("data/splits.py",), ("splits",)),
    "store": Target(
        ("data/store.py", "data/candlefile.py"),
        ("store",),
        ("-k", "not writer and not flipped_bit"),  # they take most of the seconds
    ),
}


class Trial(NamedTuple):
    """A mutant of a file of a target."""

    target: str
    file: str
    mutant: Mutant


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--sample", type=int, metavar="N", help="so many mutants of each target, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"unknown target {unknown.pop()!r}: expected some of {', '.join(TARGETS)}")
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = _copied(Path(folder) / "whole")
        _import_what_is_slow()
        for name in names:
            if not _finished(_started(copy, name, quiet=False)):
                print(f"{name}: its tests fail as things are", file=sys.stderr)
                return 1
        all_of = {name: list(_trials(name)) for name in names}
        trials = [one for name in names for one in _drawn(all_of[name], options.sample, options.seed)]
        killed = Counter[str]()
        for trial, fate in _run(trials, copy, options.jobs):
            killed[trial.target] += fate == KILLED
            if fate == SURVIVED:
                print(f"{trial.file}:{trial.mutant.line}  {trial.mutant.change}", flush=True)
    _print_table(all_of, trials, killed)
    return 0


def _print_table(all_of: dict[str, list[Trial]], trials: Sequence[Trial], killed: Counter[str]) -> None:
    print("\n| target | mutants | tried | killed | survived | score |\n|---|---|---|---|---|---|")
    tried = Counter(trial.target for trial in trials)
    rows = [(name, len(all_of[name]), tried[name], killed[name]) for name in all_of]
    rows.append(("all", sum(map(len, all_of.values())), len(trials), killed.total()))
    for name, mutants, count, dead in rows:
        score = f"{dead / count:.0%}" if count else "–"
        print(f"| {name} | {mutants:,} | {count:,} | {dead:,} | {count - dead:,} | {score} |")


def _trials(name: str) -> Iterator[Trial]:
    package = ROOT / "forecaster"
    for pattern in TARGETS[name].files:
        for path in sorted(package.glob(pattern)):
            for mutant in mutants_of(path.read_text("utf-8")):
                yield Trial(name, path.relative_to(ROOT).as_posix(), mutant)


def _drawn(trials: Sequence[Trial], count: int | None, seed: int) -> list[Trial]:
    if count is None or count >= len(trials):
        return list(trials)
    order = list(range(len(trials)))
    random.Random(seed).shuffle(order)  # a larger sample holds a smaller one
    return [trials[place] for place in sorted(order[:count])]


def _copied(folder: Path) -> Path:
    """The repository as the tests need it: the package and the tests copied, all else linked."""
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.name in ("forecaster", "tests"):
            shutil.copytree(path, folder / path.name)
        elif not path.name.startswith("."):
            (folder / path.name).symlink_to(path)
    return folder


def _import_what_is_slow() -> None:
    """Once, here: each mutant's process is a fork of this one, and begins with them. Never the package itself."""
    for name in ("hypothesis", "scipy.special", "scipy.integrate", "pandas", "pyarrow.parquet", "torch", "pydantic"):
        __import__(name)
    for name in ("pytest", "beartype", "jaxtyping", "exchange_calendars", "yaml", "filelock"):
        __import__(name)


def _run(trials: Sequence[Trial], copy: Path, jobs: int) -> Iterator[tuple[Trial, str]]:
    """What becomes of each, as they end."""
    running: dict[int, tuple[Trial, Path]] = {}
    waiting = list(enumerate(trials))
    while waiting or running:
        while waiting and len(running) < jobs:
            number, trial = waiting.pop(0)
            own = copy.parent / str(number)
            shutil.copytree(copy, own, symlinks=True)
            (own / trial.file).write_text(trial.mutant.source, "utf-8")
            running[_started(own, trial.target)] = trial, own
        process, status = os.wait()
        trial, own = running.pop(process)
        shutil.rmtree(own)
        yield trial, SURVIVED if status == 0 else KILLED


def _started(copy: Path, target: str, quiet: bool = True) -> int:
    """Begin the tests of a target on a copy; the number of the process."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        if quiet:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
        code = _tested(copy, TARGETS[target])
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tested(copy: Path, target: Target) -> int:
    import pytest

    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)
    files = [f"tests/test_{name}.py" for name in target.tests]
    return int(pytest.main([*_OPTIONS, *target.options, *files]))


def _finished(process: int) -> bool:
    return os.waitpid(process, 0)[1] == 0


if __name__ == "__main__":
    sys.exit(main())
