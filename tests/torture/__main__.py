"""The long runs, with a line for each command and each wound; all need Linux, and strace for the first.

`python -m tests.torture [CASE…] [--every N]` kills before every file-changing system call, `--random N` kills one or
both of two commands at N random moments, `--disk` fills a small disk, which takes the right to mount one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.torture.cases import CASES, make_base
from tests.torture.disk import FREE, WRITING, run_when_full, small_disk
from tests.torture.harness import calls_of, fresh, kill, results, run
from tests.torture.pairs import PAIRS, moment

PATIENT = 25
"""One kill of so many waits for Optuna's lock."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("cases", nargs="*", default=[], choices=[*CASES, []])
    parser.add_argument("--every", type=int, default=1, help="kill before every N-th call only")
    parser.add_argument("--random", type=int, default=0, help="so many random moments instead")
    parser.add_argument("--first", type=int, default=0, help="number of the first random moment")
    parser.add_argument("--disk", action="store_true", help="a full disk instead")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "home").mkdir()
        make_base(place / "base")
        if asked.random:
            return _moments(place, range(asked.first, asked.first + asked.random))
        return _disk(place) if asked.disk else _calls(place, asked.cases or list(CASES), asked.every)


def _calls(place: Path, names: Sequence[str], every: int) -> int:
    base, work, home = (place / name for name in ("base", "work", "home"))
    wounded = 0
    for name in names:
        case = CASES[name]
        fresh(case, base, work)
        run(case.words, work, home)  # fills the caches
        expected = results(case, work)
        calls = calls_of(case, base, work, home)
        kills = bad = 0
        for number, call in enumerate(calls[::every]):
            found = kill(case, call, base, work, home, expected, patient=number % PATIENT == 0)
            kills += found.died
            bad += bool(found.problems)
            for problem in found.problems:
                _say(f"  {name}, killed before {call}: {problem}")
        _say(f"{name}: {len(calls)} calls, {kills} kills, {bad} with a wound")
        wounded += bad
    return 1 if wounded else 0


def _moments(place: Path, numbers: range) -> int:
    base, work, home = (place / name for name in ("base", "work", "home"))
    spans = {}
    for words in dict.fromkeys(words for pair in PAIRS for words in pair):
        fresh(CASES["fetch"], base, work)
        began = time.monotonic()
        run(words, work, home)
        spans[words] = time.monotonic() - began
    kills: Counter[int] = Counter()
    bad = 0
    for number in numbers:
        found = moment(number, spans, base, work, home)
        kills[found.killed] += 1
        bad += bool(found.problems)
        for problem in found.problems:
            _say(f"  moment {number}, {' and '.join(words[0] for words in found.words)}: {problem}")
    count = f"both killed at {kills[2]}, one at {kills[1]}, none in time at {kills[0]}"
    _say(f"{len(numbers)} moments of {len(PAIRS)} pairs: {count}; {bad} with a wound")
    return 1 if bad else 0


def _disk(place: Path) -> int:
    base, work, home = (place / name for name in ("base", "work", "home"))
    bad = 0
    with small_disk(place / "disk") as disk:
        if disk is None:
            _say("no disk can be mounted here")
            return 1
        for name in WRITING:
            fresh(CASES[name], base, work)
            run(CASES[name].words, work, home)
            expected = results(CASES[name], work)
            ends = [run_when_full(name, free, base, disk, home, expected) for free in FREE]
            for free, (_, problems) in zip(FREE, ends, strict=True):
                for problem in problems:
                    _say(f"  {name} with {free} KB: {problem}")
            bad += sum(bool(problems) for _, problems in ends)
            said = ", ".join(f"{code} with {free} KB" for free, (code, _) in zip(FREE, ends, strict=True))
            _say(f"{name}: ends with {said}")
    return 1 if bad else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
