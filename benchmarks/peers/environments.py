"""An environment for each library, made once, and processes in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
OURS = "forecaster"

NOT_COUNTED = r"(torch|torchgen|functorch|nvidia|triton|pip|setuptools|wheel)([-_.].*)?$"
"""Of site-packages: torch, which all have, and what makes environments."""

VERSIONS = """
import json, platform
from importlib.metadata import distributions
found = {one.metadata["Name"].lower(): one.version for one in distributions()}
found["forecaster"] = found.get("stock-forecaster")  # the name on PyPI
names = ("torch", "lightning", "pytorch-lightning", "numpy", "pandas", "NAME")
print(json.dumps({"python": platform.python_version()} | {name: found[name] for name in names if found.get(name)}))
"""


class Ended(NamedTuple):
    """What a process took, in seconds: of all processors, and on the clock."""

    cpu: float
    wall: float


class BrokenError(Exception):
    """A process that failed; the last line it said."""


class Environment(NamedTuple):
    """A virtual environment in a folder where the library may leave what it likes."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def script(self) -> Path:
        return FOLDER / f"with_{self.name.replace('-', '_')}.py"

    def run(self, *arguments: object) -> Ended:
        """Run Python on one core with arguments; what it says goes to `log` in the folder.

        Raises:
            BrokenError: it did not end well.
        """
        begin, log = time.perf_counter(), self.folder / "log"
        settings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FORECASTER"))}
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [self.python, "-W", "ignore", *map(str, arguments)],
                cwd=self.folder,
                env=settings | {"OMP_NUM_THREADS": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() or ["no word"]
            raise BrokenError(f"{self.name}: {lines[-1]} ({log})")
        return Ended(usage.ru_utime + usage.ru_stime, time.perf_counter() - begin)

    def said(self) -> str:
        """What the last process said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def versions(self) -> dict[str, str]:
        """Of the library and of what it stands on."""
        self.run("-c", VERSIONS.replace("NAME", self.name))
        found: dict[str, str] = json.loads(self.said())
        return found

    def megabytes(self) -> float:
        """Installed beside torch, byte code included."""
        (packages,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        counted = [path for path in packages.iterdir() if not re.match(NOT_COUNTED, path.name)]
        files = [file for path in counted for file in ([path] if path.is_file() else path.rglob("*"))]
        return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def pins(text: str) -> dict[str, str]:
    """Peer → what pip is asked for.

    Raises:
        ValueError: a line does not say one version of one package.
    """
    found = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        match = re.fullmatch(r"([a-z-]+)(\[[a-z]+\])?==[0-9.]+", line)
        if match is None:
            raise ValueError(f"{line!r}: expected NAME==VERSION")
        found[match[1]] = line
    return found


def make(name: str, wanted: str, build: Path) -> Environment:
    """An environment with a library; one that is there is kept, but this project is always installed anew.

    Raises:
        BrokenError: it cannot be installed.
    """
    made, constraints = Environment(name, build / name), ROOT / "constraints.txt"
    mark, text = made.folder / "installed", f"{wanted}\n{constraints.read_text(encoding='utf-8')}"
    install = ("-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", constraints)
    if not (mark.is_file() and mark.read_text(encoding="utf-8") == text):
        made.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", made.folder / "venv"], check=True)
        made.run(*install, "torch", wanted)
        mark.write_text(text, encoding="utf-8")
    if name == OURS:
        made.run(*install, "--no-deps", "--force-reinstall", wanted)
    return made
