"""What the shell offers at the TAB key: names of the store, the runs and the configs, fast, never an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forecaster.data.store import Store
from tests.studio import bars, environment

LIST_MODULES = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules}))))
sys.argv = ["forecast"]
from forecaster import cli
cli.main()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a store, runs and a config of the user's own."""
    folder = tmp_path_factory.mktemp("place")
    for ticker in ("AAPL", "AMZN", "^GSPC", "MSFT"):
        Store(folder / "data" / "store").write(bars(ticker), source="test")
    (folder / "data" / "store" / "not a ticker.parquet").touch()
    (folder / "elsewhere").mkdir()
    for name in ("demo-1", "first", ".first.new"):
        (folder / "runs" / name).mkdir(parents=True)
        (folder / "runs" / name / "config.yaml").touch()
    (folder / "runs" / "photos").mkdir()
    (folder / "grown.yaml").touch()
    (folder / "two words.yaml").touch()
    return folder


def completed(place: Path, *words: str, **variables: str) -> tuple[list[str], set[str]]:
    """What bash is offered for the last word, and the packages imported for it."""
    shell = {"_FORECAST_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("forecast", *words))}
    kept = {name: value for name, value in environment().items() if not name.startswith("FORECASTER_")}
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES],
        cwd=place,
        env=kept | shell | {"COMP_CWORD": str(len(words))} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 0, done.stderr
    return done.stdout.split(), set(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("predict", "A"), ["AAPL", "AMZN"]),
        (("predict", "AAPL", "am"), ["amzn"]),
        (("data", "show", "^"), ["^GSPC"]),
        (("predict", "--data-dir", "elsewhere", "A"), []),
        (("predict", "AAPL", "--run", ""), ["latest", "pretrained", "demo-1", "first"]),
        (("runs", "delete", "f"), ["first"]),
        (("train", "gr"), ["gru", "grown.yaml"]),
        (("train", "t"), ["tutorial"]),
        (("backtest", "d"), ["demo", "dnn", "demo-1"]),
        (("fetch", "--source", "s"), ["sample"]),
        (("fetch", "--tickers-file", "dow"), ["dow30"]),
        (("predict", "--format", "js"), ["json"]),
        (("runs", "e"), ["export"]),
    ],
)
def test_the_shell_is_offered_what_there_is_and_nothing_heavy_is_imported(
    place: Path, words: tuple[str, ...], offered: list[str]
) -> None:
    found, imported = completed(place, *words)
    assert found == offered
    heavy = {"torch", "pandas", "numpy", "pyarrow", "yfinance", "rich", "yaml", "exchange_calendars", "scipy"}
    assert not imported & heavy


def test_folders_that_variables_name_are_looked_into(place: Path, tmp_path: Path) -> None:
    Store(tmp_path / "mine").write(bars("ZZZ"), source="test")
    assert completed(place, "predict", "Z", FORECASTER_DATA_DIR=str(tmp_path / "mine"))[0] == ["ZZZ"]
    assert completed(place, "report", "f", FORECASTER_RUNS_DIR=str(tmp_path / "none"))[0] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_offers_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o000)
    assert completed(place, "predict", "A", FORECASTER_DATA_DIR=str(tmp_path / "shut"))[0] == []


def test_a_null_byte_in_a_name_offers_nothing(place: Path) -> None:
    from forecaster.cli import completion

    class Context:
        params = {"data_dir": "a\0b", "runs_dir": "a\0b"}  # noqa: RUF012

    assert completion.tickers(Context(), "A") == []
    assert completion.runs(object(), "f") == []
