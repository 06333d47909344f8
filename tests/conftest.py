"""What many tests share: real candles, small made ones, and the real command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.sources import SOURCES, Order, SourceOptions
from forecaster.data.store import Store

ROOT = Path(__file__).parents[1]

hypothesis.settings.register_profile("ci", max_examples=40, deadline=None)  # a busy machine misses no deadline
hypothesis.settings.register_profile("thorough", max_examples=2000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say in which order the tests run: `-q` hides the line that pytest-randomly has for it."""
    seed = session.config.getoption("randomly_seed", None)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(seed, int) and reporter is not None and not hasattr(session.config, "workerinput"):
        reporter.write_line(f"random order: pytest -p randomly --randomly-seed={seed}")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def bars(ticker: str = "AAPL", days: object = 5, *, seed: int = 0, **changes: object) -> Bars:
    """Coherent candles on the given days, or on so many weekdays from 2020-01-02; `changes` replace whole columns."""
    if isinstance(days, int):
        days = np.busday_offset("2020-01-02", np.arange(days))
    days = np.array(days, "datetime64[D]")
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, len(days))))
    open_ = np.concatenate([[100.0], close[:-1]]) if len(days) else close
    values: dict[str, object] = {
        "ticker": ticker,
        "currency": "USD",
        "calendar": "XNYS",
        "timezone": "America/New_York",
        "dates": days,
        "open": open_,
        "high": np.maximum(open_, close) * 1.01,
        "low": np.minimum(open_, close) * 0.99,
        "close": close,
        "adj_close": close * 0.5,
        "volume": np.full(len(days), 1000.0),
        "dividend": np.zeros(len(days)),
        "split": np.ones(len(days)),
    }
    return Bars(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def make_bars() -> Callable[..., Bars]:
    return bars


@pytest.fixture(scope="session")
def panel_with_holes() -> Panel:
    """A ticker halted for half a year, one that missed a session, one on another exchange's calendar (`with_holes`)."""
    from tests.studio import with_holes

    return with_holes()


@pytest.fixture(scope="session")
def real_bars() -> dict[str, Bars]:
    """The candles that ship with the package, by ticker."""
    deliveries = SOURCES["sample"](SourceOptions()).deliver(Order((), lambda _: None))
    return {one.ticker: one.bars for one in deliveries if one.bars is not None}


@pytest.fixture(scope="session")
def _filled_store(real_bars: dict[str, Bars], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "store"
    for one in real_bars.values():
        Store(folder).write(one, source="sample")
    return folder


@pytest.fixture
def sample_store(_filled_store: Path, tmp_path: Path) -> Store:
    """A store of one's own with the five tickers that ship with the package."""
    return Store(shutil.copytree(_filled_store, tmp_path / "store"))


@pytest.fixture
def forecast(tmp_path: Path) -> Run:
    """The real command line in a process of its own, in an empty folder; `forecast("data", "list")`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORECASTER_")}

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "forecaster", *map(str, arguments)],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run
