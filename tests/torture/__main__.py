"""The long run: `python -m tests.torture [CASE…] [--every N]` prints a line for each command, and each wound."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.torture.cases import CASES, make_base
from tests.torture.harness import calls_of, fresh, kill, results, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES), choices=[*CASES, []])
    parser.add_argument("--every", type=int, default=1, help="kill before every N-th call only")
    asked = parser.parse_args()
    wounded = 0
    with tempfile.TemporaryDirectory() as place:
        base, work, home = (Path(place) / name for name in ("base", "work", "home"))
        home.mkdir()
        make_base(base)
        for name in asked.cases or CASES:
            case = CASES[name]
            fresh(case, base, work)
            run(case.words, work, home)  # fills the caches
            expected = results(case, work)
            calls = calls_of(case, base, work, home)
            kills = 0
            bad = 0
            for call in calls[:: asked.every]:
                found = kill(case, call, base, work, home, expected)
                kills += found.died
                bad += bool(found.problems)
                for problem in found.problems:
                    print(f"  {name}, killed before {call[0]} {call[1]}: {problem}", flush=True)  # noqa: T201
            print(f"{name}: {len(calls)} calls, {kills} kills, {bad} with a wound", flush=True)  # noqa: T201
            wounded += bad
    return 1 if wounded else 0


if __name__ == "__main__":
    sys.exit(main())
