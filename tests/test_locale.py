"""Folders and locales as they are: names that are no text in the locale, Latin-1, plain C, spaces, Chinese."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from forecaster.data.store import Store
from forecaster.evaluation.journal import JOURNAL
from forecaster.workflows.train import TrainedRun
from tests.studio import command, environment

pytest_plugins = ("tests.studio_fixtures",)

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""The plain C locale as Python before 3.7 had it, in which a file's name beyond ASCII is no text."""

PLACES = {
    "utf-8, undecodable": ({"LC_ALL": "C.UTF-8"}, b"j\xe9 \xc3x"),
    "ascii, chinese": (ASCII, "中 文".encode()),
    "latin-1, accented": ({"LC_ALL": "de_DE.ISO-8859-1"}, "josé".encode("latin-1")),
}


@pytest.fixture(params=PLACES)
def place(
    request: pytest.FixtureRequest, trained: TrainedRun, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """A folder of such a name with a run in it, and what the environment says of the locale."""
    locale, name = PLACES[request.param]
    if "ISO" in locale["LC_ALL"]:
        folder = tmp_path_factory.mktemp("locales")
        made = shutil.which("localedef") and subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / locale["LC_ALL"])], check=False
        )
        if not made or made.returncode:
            pytest.skip("needs localedef and its tables, as in Debian's package locales")
        locale = locale | {"LOCPATH": str(folder)}
    home = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    shutil.copytree(trained.folder, home / "runs" / "small")
    return home, locale


COMMANDS = "import sys\nfrom forecaster.cli import run\nsys.exit(max(run(line.split('|')) for line in sys.argv[1:]))"
"""Several command lines in one process, which takes less time to start."""

LINES = (
    "fetch|--source|file|--path|HERE/prices.csv|--data-dir|HERE/data/store|--quiet|--output|fetched.txt",
    "fetch|IBM|--source|file|--path|prices.parquet|--output|HERE/fetched.txt|--quiet",
    "predict|PRICES|IBM|--format|parquet|--output|HERE/p.parquet|--plot|p.html|--quiet",
    "runs|show|small|--runs-dir|HERE/runs|--format|json|--output|HERE/small.json",
    "data|export|--to|npz|--quiet",
    "data|export|--to|safetensors|--output|HERE/x.safetensors|--quiet",
)


def test_the_whole_way_from_a_file_to_a_journal(place: tuple[Path, dict[str, str]], store: Path) -> None:
    home, locale = place
    (home / "prices.csv").write_text(_csv(store))
    (home / "prices.parquet").write_bytes((store / "IBM.parquet").read_bytes())
    _run(home, locale, [sys.executable, "-c", COMMANDS, *(line.replace("HERE", str(home)) for line in LINES)])
    assert pq.read_table(io.BytesIO((home / "p.parquet").read_bytes())).num_rows > 20
    assert json.loads((home / "small.json").read_bytes())["folder"].endswith("runs/small")
    assert {path.name for path in home.iterdir()} >= {"p.html", "panel.npz", "x.safetensors", "fetched.txt"}
    assert _entries(home / "runs" / JOURNAL) == 6
    shown = _run(home, locale, command("runs", "show", "small", "--runs-dir", str(home / "runs"), "--format", "json"))
    assert json.loads(shown.decode("utf-8", "surrogateescape"))["run"] == "small"


def _run(home: Path, locale: dict[str, str], words: list[str]) -> bytes:
    done = subprocess.run(words, cwd=home, env=environment() | locale, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def _csv(store: Path) -> str:
    bars = Store(store).read("AAPL")
    rows = zip(bars.dates, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    return "Date,Open,High,Low,Close,Volume\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def _entries(path: Path) -> int:
    with sqlite3.connect(os.fsencode(path)) as base:
        (count,) = base.execute("SELECT count(*) FROM forecasts").fetchone()
    return int(count)
