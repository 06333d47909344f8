"""Users without a home, as in a container: everything works, without a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.data import calendarfile, calendars, exchanges
from forecaster.data.store import Store
from forecaster.places import cache_folder
from forecaster.workflows.train import TrainedRun
from tests.homeless import HOMES, homeless
from tests.studio import bars, command, environment

pytest_plugins = ("tests.studio_fixtures",)

FORECAST = "from forecaster.cli import main\nmain()\n"


@pytest.fixture
def place(trained: TrainedRun, tmp_path: Path) -> Path:
    """A folder with a run, and a ticker of London, whose calendar must be computed."""
    shutil.copytree(trained.folder, tmp_path / "runs" / "small")
    held = calendars.sessions("XLON", np.datetime64("2010-01-04"), np.datetime64("2010-12-31"))[:200]
    london = {"calendar": "XLON", "timezone": "Europe/London", "dates": held}
    Store(tmp_path / "data" / "store").write(replace(bars("VOD.L", 200), **london), source="test")
    return tmp_path


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_a_forecast_needs_no_home(place: Path, home: str | None) -> None:
    words = ["predict", "VOD.L", "--run", "small", "--quiet", "--output", "o.csv", "--format", "csv"]
    picture = ["--plot", "x.png"] if home == HOMES["relative"] else []  # no library makes a cache there
    done = homeless(FORECAST, *words, *picture, cwd=place, home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert (place / "o.csv").read_text().count("VOD.L") > 10
    left = {path.name for path in place.iterdir()}
    assert left - {"x.png"} == {"data", "runs", "o.csv"}, "no cache is made in the folder"


def test_the_doctor_finds_nothing_wrong_with_having_no_home(place: Path) -> None:
    done = homeless(FORECAST, "doctor", "--quiet", cwd=place, home=None)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "XLON" in done.stdout


def test_a_cache_folder_is_absolute_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    folder = cache_folder()
    assert folder is not None
    assert folder.is_relative_to(tmp_path)
    for answer in (lambda _: "~/.cache/forecaster", lambda _: "home/.cache/forecaster"):  # older platformdirs
        monkeypatch.setattr("platformdirs.user_cache_dir", answer)
        assert cache_folder() is None


def test_without_a_cache_a_calendar_is_computed_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    compute = exchanges.compute

    def counted(name: str, *span: object) -> object:
        computed.append(name)
        return compute(name, *span)  # type: ignore[arg-type]

    monkeypatch.setattr(exchanges, "compute", counted)
    monkeypatch.setattr(calendarfile, "_folder", lambda: None)
    monkeypatch.setattr(calendarfile, "_in_memory", {})
    for cached in (calendars.sessions, calendars._cached):
        cached.cache_clear()
    spans = [("2010-01-04", "2010-02-01"), ("2012-01-04", "2012-02-01"), ("2014-01-04", "2014-02-01")]
    assert all(len(calendars.sessions("XLON", np.datetime64(a), np.datetime64(b))) > 15 for a, b in spans)
    assert computed == ["XLON"]
    for cached in (calendars.sessions, calendars._cached):
        cached.cache_clear()


@pytest.fixture
def open_folder(place: Path) -> Iterator[Path]:
    """The same where another user may write."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(place, folder, dirs_exist_ok=True)
        for path in [Path(folder), *Path(folder).rglob("*")]:
            path.chmod(0o777)
        yield Path(folder)


def foreign(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command under a user id that nobody has."""
    alien = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    kept = {key: value for key, value in environment().items() if key not in ("HOME", "USER", "LOGNAME")}
    return subprocess.run([*alien, *words], cwd=cwd, env=kept, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, and setpriv")
def test_a_user_id_that_is_not_in_the_system_can_do_all_of_it(open_folder: Path) -> None:
    if foreign(*command("--version"), cwd=open_folder).returncode:
        pytest.skip("this Python, or this repository, lies where another user may not read")
    one = ["--set", "data.tickers=[AAPL]"]
    for words in (
        ["fetch", "--source", "sample"],
        ["backtest", "har", *one, "--refit-every", "250", "--workers", "2"],
        ["predict", "AAPL", "VOD.L", "--run", "small"],
    ):
        done = foreign(*command(*words, "--quiet", "--output", os.devnull), cwd=open_folder)
        assert (done.returncode, done.stderr) == (0, ""), words
