"""`make matrix`: the tests under each Python that is installed, with the oldest and the newest pandas and numpy.

An interpreter is taken from the PATH, from pyenv or from uv; one that is not there is reported as not tried. Each
environment is made in build/matrix. The table goes to standard output and into docs/platforms.md.

matrix.py [--full] [--only 3.12] [--keep]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "matrix"
PAGE = ROOT / "docs" / "platforms.md"
PYTHONS = ("3.11", "3.12", "3.13")

SETS = {
    "oldest": {"pandas": "2.2.*", "numpy": "2.0.*"},
    "newest": {},
}
"""Pinned libraries; the others are the newest that go with them, torch that of constraints.txt."""

EARLIEST = {("3.13", "numpy"): "2.1.*"}
"""Where the oldest release has no wheel for a Python."""

SMOKE = (
    *("test_store", "test_source_file", "test_source_sample", "test_frames", "test_cleaning", "test_calendars"),
    *("test_bad_input", "test_candles", "test_modelfile", "test_light", "test_baselines", "test_fit", "test_predict"),
    *("test_backtest", "test_interop", "test_plot", "test_pictures", "test_docs", "test_home", "test_user_folder"),
    *("yahoo/test_yahoo_update", "yahoo/test_yahoo_faults"),
)
"""Test files that meet pandas, numpy, torch and the interpreter where they differ from release to release."""


class Row(NamedTuple):
    """A line of the table."""

    python: str
    pandas: str
    numpy: str
    torch: str
    result: str


def interpreter(version: str) -> str | None:
    """A Python of this version, if there is one that starts."""
    found = [shutil.which(f"python{version}"), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    if shutil.which("uv"):
        find = subprocess.run(["uv", "python", "find", version], capture_output=True, text=True, check=False)
        found.append(find.stdout.strip() or None)
    for one in found:
        if one and says(one, "import sys; print('%d.%d' % sys.version_info[:2])") == version:
            return one
    return None


def says(python: str, code: str) -> str:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def tried(version: str, kind: str, full: bool, keep: bool) -> Row:
    """Install and test, or say why not."""
    pins = {name: EARLIEST.get((version, name), pin) for name, pin in SETS[kind].items()}
    missing = Row(version, pins.get("pandas", "newest"), pins.get("numpy", "newest"), "", "")
    python = interpreter(version)
    if python is None:
        return missing._replace(result=f"not tried: no Python {version} here")
    place = BUILD / f"{version}-{kind}"
    shutil.rmtree(place, ignore_errors=True)
    own = str(place / "bin" / "python")
    wanted = [f"{name}=={pin}" for name, pin in pins.items()]
    try:
        subprocess.run([python, "-m", "venv", str(place)], check=True)
        pip = [own, "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt")]
        subprocess.run([*pip, "-e", f"{ROOT}[dev]", *wanted], check=True, stderr=subprocess.DEVNULL)
        versions = json.loads(says(own, VERSIONS))
        row = Row(*(versions[name] for name in ("python", "pandas", "numpy", "torch")), result="")
        return row._replace(result=tested(own, full))
    except subprocess.CalledProcessError as error:
        return missing._replace(result=f"not tried: {error.cmd[2:4]} failed")
    finally:
        if not keep:
            shutil.rmtree(place, ignore_errors=True)


VERSIONS = """
import json, platform
from importlib.metadata import version
names = ("pandas", "numpy", "torch")
print(json.dumps({"python": platform.python_version()} | {name: version(name) for name in names}))
"""


def tested(python: str, full: bool) -> str:
    """pytest's last line, and what failed."""
    files = [] if full else [str(path) for name in SMOKE if (path := ROOT / "tests" / f"{name}.py").is_file()]
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"CI": "1"})
    lines = done.stdout.strip().splitlines()
    sys.stderr.write("".join(f"  {line}\n" for line in lines if line.startswith(("FAILED", "ERROR"))))
    counts = re.findall(r"(\d+) (passed|failed|errors?|skipped)", lines[-1] if lines else "")
    return ", ".join(f"{number} {word}" for number, word in counts) or f"no test ran (exit code {done.returncode})"


def table(rows: list[Row]) -> str:
    head = ["| Python | pandas | numpy | torch | tests |", "|---|---|---|---|---|"]
    return "\n".join(head + [f"| {' | '.join(row)} |" for row in rows])


def record(text: str, full: bool) -> None:
    """Put the table into the page, between its two marks."""
    what = "all tests" if full else "the tests that meet other libraries"
    command = f"`make matrix{' FULL=1' if full else ''}`"
    said = f"{dt.date.today()}, {platform.system()} {platform.machine()}, {what} ({command}):"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- matrix -->")
    _, _, after = rest.partition("<!-- /matrix -->")
    page = f"{before}<!-- matrix -->\n{said}\n\n{text}\n<!-- /matrix -->{after}"
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="all tests, not those alone that meet other libraries")
    parser.add_argument("--only", choices=PYTHONS, help="one Python; the page stays as it is")
    parser.add_argument("--keep", action="store_true", help="leave the environments in build/matrix")
    options = parser.parse_args()
    rows = []
    for version in (options.only,) if options.only else PYTHONS:
        for kind in SETS:
            rows.append(tried(version, kind, options.full, options.keep))
            sys.stderr.write(f"{' '.join(rows[-1])}\n")
    print(table(rows))
    if not options.only:
        record(table(rows), options.full)


if __name__ == "__main__":
    main()
