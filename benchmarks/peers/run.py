"""The same work with four well-known libraries and with this project: `python benchmarks/peers/run.py [PANEL]`.

PANEL is a table of daily candles as `forecast fetch --source file` reads it; `--data-dir` takes a store that is there;
without either, it is the sample that ships. Each library gets an environment of its own under build/peers (gigabytes,
made once) and works in processes of its own, one thread of one core each. Prints one table and leaves results.json in
build/peers; `--record` writes results.json and the table of README.md beside this file instead.

`--only forecaster` measures one library again and takes the others' figures from the last results of the same candles.
Ends with 1 where a library failed: the table then says what it said.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

from environments import FOLDER, OURS, ROOT, BrokenError, make, pins
from stages import IMPORTS, Bench, measure
from table import render

BUILD = ROOT / "build" / "peers"
MARKS = ("<!-- table -->", "<!-- end -->")
"""Between which the table stands in README.md."""


def main() -> int:
    options = _options()
    place = FOLDER if options.record else BUILD
    wanted = {OURS: str(ROOT)} | pins((FOLDER / "pins.txt").read_text(encoding="utf-8"))
    environments, failed = [], {}
    for name, requirement in wanted.items():
        if name == OURS or name in options.only:
            print(f"installing {name}", file=sys.stderr, flush=True)
            try:
                environments.append(make(name, requirement, BUILD))
            except BrokenError as error:
                if name == OURS:
                    raise
                failed[name] = {"broken": str(error)}
    shared = _shared(environments[0], options)
    mark = hashlib.sha256((shared / "work.npz").read_bytes()).hexdigest()[:16]
    chosen = [one for one in environments if one.name in options.only]
    fresh: dict[str, dict[str, Any]] = {one.name: {} for one in chosen}
    results = _earlier(place / "results.json", mark) | failed | fresh
    measure(Bench(chosen, shared, results, options.repeats, options.speed_budget, options.budget))
    text = json.dumps({"data": mark, "libraries": results}, indent=1)
    (place / "results.json").write_text(text + "\n", encoding="utf-8")
    table = render(results)
    if options.record:
        readme = FOLDER / "README.md"
        readme.write_text(told(readme.read_text(encoding="utf-8"), table), encoding="utf-8")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{table}\n\nThis took {(used.ru_utime + used.ru_stime) / 60:.0f} CPU-minutes.")
    return int(any("broken" in one for one in results.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panel", type=Path, nargs="?")
    parser.add_argument("--data-dir", type=Path, help="a store, instead of a table")
    parser.add_argument("--only", nargs="+", choices=[*IMPORTS], default=[*IMPORTS], metavar="NAME")
    parser.add_argument("--repeats", type=int, default=3, help="of speed, import and cold start (3)")
    parser.add_argument("--budget", type=float, default=60, help="CPU-seconds of training towards skill (60)")
    parser.add_argument("--speed-budget", type=float, default=3, help="CPU-seconds of training for speed (3)")
    parser.add_argument("--record", action="store_true", help="write results.json and README.md beside this file")
    options = parser.parse_args()
    for path in (options.panel, options.data_dir):
        if path is not None and not path.exists():
            parser.error(f"{path}: no such file or folder")
    return options


def _shared(ours: Any, options: argparse.Namespace) -> Path:
    """Work and cells, made by this project in a process of its own."""
    folder, store = BUILD / "work", options.data_dir
    shutil.rmtree(folder, ignore_errors=True)
    if store is None:
        store = BUILD / "store"
        shutil.rmtree(store, ignore_errors=True)
        source = ("--source", "file", "--path", options.panel.resolve()) if options.panel else ("--source", "sample")
        ours.run("-m", "forecaster", "fetch", *source, "--data-dir", store, "--quiet")
    print("preparing", file=sys.stderr, flush=True)
    ours.run(ours.script, "prepare", store.resolve(), folder)
    return folder


def _earlier(path: Path, mark: str) -> dict[str, Any]:
    """The last results, where they are of the same candles."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return dict(found["libraries"]) if found.get("data") == mark else {}


def told(readme: str, table: str) -> str:
    """A README with the table between its marks.

    Raises:
        ValueError: it does not have both marks.
    """
    before, begin, rest = readme.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise ValueError(f"README.md: expected the marks {' and '.join(MARKS)}")
    return f"{before}{begin}\n{table}\n{end}{after}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenError as error:
        sys.exit(f"error: {error}")
