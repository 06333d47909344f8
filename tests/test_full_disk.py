"""A disk that fills up in the middle of a fetch: a limit on the size of files refuses the larger one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from forecaster.data.store import Store
from tests.damage import damaged
from tests.studio import bars, command, environment

resource = pytest.importorskip("resource")
SIZES = {"a.csv": ("SMALL", 70), "b.csv": ("LARGE", 3000), "c.csv": ("SLIGHT", 80)}
LIMIT = 60_000


def files(folder: Path) -> None:
    folder.mkdir()
    for name, (ticker, rows) in SIZES.items():
        one = bars(ticker, rows)
        lines = ["ticker,date,open,high,low,close,adj_close,volume"]
        columns = zip(one.dates, one.ohlc, one.adj_close, one.volume, strict=True)
        lines += [
            f"{ticker},{day},{','.join(map(str, ohlc))},{adjusted},{volume}" for day, ohlc, adjusted, volume in columns
        ]
        (folder / name).write_text("\n".join(lines))


def fetch(tmp_path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = ["fetch", *more, "--source", "file", "--path", "files", "--data-dir", "store", "--format", "json"]
    return subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)),
    )


def test_what_came_before_is_kept_and_said(tmp_path: Path) -> None:
    files(tmp_path / "files")
    done = fetch(tmp_path)
    assert done.returncode == 3, done.stderr
    status = {row["ticker"]: (row["status"], row["reason"]) for row in json.loads(done.stdout)}
    assert status["SMALL"][0] == status["SLIGHT"][0] == "new"
    assert status["LARGE"][0] == "failed"
    assert "File too large" in status["LARGE"][1]
    assert Store(tmp_path / "store").tickers() == ("SLIGHT", "SMALL")
    assert not damaged(Store(tmp_path / "store"))
    assert not list((tmp_path / "store").glob(".*.part"))


def test_where_nothing_could_be_written_it_is_one_line_with_code_4(tmp_path: Path) -> None:
    files(tmp_path / "files")
    done = fetch(tmp_path, "LARGE")
    assert done.returncode == 4
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "LARGE.parquet cannot be written: " in line
    assert "File too large" in line
