"""How fast, in one table: `python benchmarks/speed/run.py [--data-dir STORE] [--only PART …]`.

STORE is a folder that `forecast fetch` filled; the sample that ships is taken without one. Times of processes are what
a user waits, with the processor's seconds below; ratios are of two things measured in turns in one process. Medians
of several repeats, and their spread. Parts: loop, candles, training, start, risk.
Takes under ten minutes on 204 tickers and two idle cores.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
MARKS = ("<!-- table -->", "<!-- end -->")
"""Between which the table stands in the page."""

PARTS = ("loop", "candles", "training", "start", "risk")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--record", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = options.data_dir or _sample(Path(folder) / "store")
        figures = []
        for figure in _figures(store, Path(folder) / "runs", options.only, options.repeats):
            print(" · ".join(figure.cells()), file=sys.stderr, flush=True)
            figures.append(figure)
    found = f"{table(figures)}\n\n{_machine()}, Python {platform.python_version()}."
    print(found)
    if options.record:
        before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        PAGE.write_text(f"{before}{MARKS[0]}\n{found}\n{MARKS[1]}{after}", encoding="utf-8")


def _figures(store: Path, runs: Path, parts: tuple[str, ...], repeats: int) -> Iterator[Figure]:
    # What runs in processes of its own comes first: their parent should not hold memory that they are given.
    if {"training", "start"} & set(parts):
        from processes import cost, start_figures

        places = ("--data-dir", str(store), "--runs-dir", str(runs))
        cost("train", "gru", "--set", "training.steps=50", "--name", "gru", *places)
        trained = cost("train", "best", "--name", "best", *places)
        if "training" in parts:
            yield Figure("train best: start to scorecard", (trained.wall,), " s")
            yield Figure("train best: peak memory", (trained.peak,), " MB", 1200)
        if "start" in parts:
            yield from start_figures(store, runs, repeats)
    if "risk" in parts:
        from processes import risk_figures

        yield from risk_figures(store, runs, max(repeats // 3, 1))
    if "candles" in parts:
        from candles import feature_figures

        yield from feature_figures(store, max(repeats // 3, 1))
    if "loop" in parts:
        from loop import loop_figures

        yield from loop_figures(store, repeats)


def _machine() -> str:
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.platform()


def _lines(path: str) -> list[str]:
    place = Path(path)
    return place.read_text(encoding="utf-8").splitlines() if place.is_file() else []


def _sample(folder: Path) -> Path:
    from forecaster.workflows.fetch import fetch

    fetch([], source="sample", data_dir=folder)
    return folder


if __name__ == "__main__":
    main()
