"""What a candle costs at each stage, for stores of several sizes: `python benchmarks/scale/run.py 500 5000`.

Candles are synthetic (`candles.py`), years of them for each of N tickers. Each stage is one command in a process of its
own. A store of five tickers is measured first: what it costs is start-up, and subtracted. Peak memory is that of
anonymous pages (RssAnon) of the command and its children; mapped files do not count, and their size on disk is shown.
The folder, --folder, needs 1,300 bytes a candle: 33 GB for 5,000 tickers of 20 years. It is deleted at the end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from candles import write_candles
from child import Cost, cost

ALONE = "base, vol, volume, weekday, season, shape, earnings, calendar"
"""Feature groups with long lookbacks; the market's is the ninth."""

RECIPE = ("-s", "training.steps=50", "-s", "training.refit=true")
WITH, WITHOUT = ("-s", f"features=[{ALONE}, market]"), ("-s", f"features=[{ALONE}]")
FEW = 5
STAGES = ("fetch", "verify", "train", "train without market", "backtest", "predict", "predict one")


class Stage(NamedTuple):
    """A command measured at one size."""

    tickers: int
    candles: int
    name: str
    cost: Cost
    disk: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tickers", type=int, nargs="+")
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder if absent")
    parser.add_argument("--keep", action="store_true", help="leave the store, to measure it again")
    options = parser.parse_args()
    found: list[Stage] = []
    for tickers in (FEW, *options.tickers):
        place = Path(tempfile.mkdtemp(prefix="scale-")) if options.folder is None else options.folder / str(tickers)
        try:
            for stage in _stages(place, tickers, options.years, options.only):
                print(json.dumps(stage), file=sys.stderr, flush=True)
                found.append(stage)
        finally:
            if not options.keep:
                shutil.rmtree(place, ignore_errors=True)
    print(_table(found))


def _stages(place: Path, tickers: int, years: int, only: tuple[str, ...]) -> Iterator[Stage]:
    store, runs, files = place / "store", place / "runs", place / "files"
    candles = place / "candles.json"
    if not candles.is_file():
        candles.parent.mkdir(parents=True, exist_ok=True)
        candles.write_text(str(write_candles(files, tickers, years)))
    if "fetch" in only:
        for folder in (store, runs):
            shutil.rmtree(folder, ignore_errors=True)
    places = ("--data-dir", str(store), "--runs-dir", str(runs))
    commands = {
        "fetch": ("fetch", "--source", "file", "--path", str(files), *places[:2]),
        "verify": ("data", "verify", *places[:2]),
        "train": ("train", "gru", *RECIPE, *WITH, "--name", "all", "--force", *places),
        "train without market": ("train", "gru", *RECIPE, *WITHOUT, "--name", "alone", "--force", *places),
        "backtest": ("backtest", "gru", *RECIPE, *WITH, *places),
        "predict": ("predict", "--all", "--run", "all", "-f", "parquet", "-o", str(place / "all.parquet"), *places),
        "predict one": ("predict", "S00003", "--run", "all", *places),
    }
    for name in only:
        used = cost(*commands[name], log=place / "log.txt")
        yield Stage(tickers, int(candles.read_text()), name, used, _size(store) + _size(runs))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _table(stages: list[Stage]) -> str:
    """Markdown: a row a size and stage, with the processor's microseconds a candle once start-up is subtracted."""
    few = {one.name: one for one in stages if one.tickers == FEW}
    lines = ["| stage | tickers | s | CPU s | µs a candle | peak RssAnon, MB | disk, MB |", "|---" * 7 + "|"]
    for name in STAGES:
        for one in (stage for stage in stages if stage.name == name):
            more = one.cost.cpu - few[name].cost.cpu
            each = "start-up" if one.tickers == FEW else f"{more / (one.candles - few[name].candles) * 1e6:.2f}"
            figures = (f"{one.cost.wall:.1f}", f"{one.cost.cpu:.1f}", each, f"{one.cost.peak / 1e6:,.0f}")
            lines.append(f"| {' | '.join((name, f'{one.tickers:,}', *figures, f'{one.disk / 1e6:,.0f}'))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
