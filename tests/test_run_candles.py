"""A run's own candles, as the store has them by now: other tickers are none of its business, damaged ones are named."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.evaluation.canaries import SKIPPED
from forecaster.runs.run import Run
from forecaster.workflows.compare import compare
from forecaster.workflows.doctor import doctor
from forecaster.workflows.outputs import outputs
from forecaster.workflows.predict import predict
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, bars

pytest_plugins = ("tests.studio_fixtures",)

ALL = [setting for setting in QUICK if not setting.startswith("data.tickers")]


@pytest.fixture
def own(store: Path, tmp_path: Path) -> Path:
    """A store of AAPL, IBM and MSFT that a test may write to."""
    folder = tmp_path / "store"
    folder.mkdir()
    for ticker in ("AAPL", "IBM", "MSFT"):
        shutil.copy(Store(store).path(ticker), Store(folder).path(ticker))
    return folder


def test_a_ticker_added_to_the_store_is_in_no_comparison(own: Path, tmp_path: Path) -> None:
    """Two runs of `all` tickers were compared on a ticker that neither of them had been tested on."""
    for seed in range(2):
        settings = [*ALL, "data.tickers=all", "training.steps=2", f"training.seed={seed}"]
        train("gru", settings=settings, data_dir=own, runs_dir=tmp_path / "runs", name=f"seed-{seed}")
    before = compare(["seed-0", "seed-1"], data_dir=own, runs_dir=tmp_path / "runs")
    Store(own).write(bars("NEW", 900, start="2009-01-05"), source="test")
    after = compare(["seed-0", "seed-1"], data_dir=own, runs_dir=tmp_path / "runs")
    assert before.origins == after.origins
    assert before.scores == after.scores
    assert after.notes == (), "its own candles are as they were"


def test_one_damaged_file_costs_the_doctor_one_ticker(trained: TrainedRun, own: Path) -> None:
    """All checks of the run were given up for it."""
    Store(own).path("IBM").write_bytes(b"not a table")
    found = doctor(str(trained.folder), data_dir=own)
    assert any("The store lacks 1 of the run's tickers (IBM)." in note for note in found.notes)
    looked = {check.name for check in found.checks if check.part == "run" and check.status != SKIPPED}
    assert {"look-ahead", "newest-candle", "echo", "calibration"} <= looked


def test_outputs_begin_where_the_runs_candles_began(store: Path, tmp_path: Path) -> None:
    """Candles from before `data.start` warmed the features, so that outputs and forecasts of a day differed."""
    settings = [*QUICK, "data.start=2005-01-03", "training.steps=2"]
    run = train("gru", settings=settings, data_dir=store, runs_dir=tmp_path, name="late")
    found = outputs("AAPL", run=str(run.folder), end="2005-12-30", data_dir=store)
    assert found.dates[0] >= np.datetime64("2005-01-03")
    day = found.dates[-1]
    (forecast,) = predict("AAPL", run=str(run.folder), as_of=day, data_dir=store)
    np.testing.assert_allclose(found.prices[-1] * forecast.last_close / found.close[-1], forecast.prices, rtol=1e-9)
    with pytest.raises(InputError, match="AAPL has no candle up to 2004-12-31: choose other dates"):
        outputs("AAPL", run=str(run.folder), end="2004-12-31", data_dir=store)


def test_held_names_what_is_missing_and_what_is_damaged(trained: TrainedRun, own: Path) -> None:
    run = Run.find(trained.folder.parent, trained.folder.name)
    assert run.candles(Store(own)).missing == ()
    Store(own).path("IBM").write_bytes(b"not a table")
    Store(own).path("AAPL").unlink()
    held = run.candles(Store(own))
    assert held.missing == ("AAPL", "IBM")
    assert [one.ticker for one in held.bars] == ["MSFT"]
    early = run.candles(Store(own), np.datetime64("2010-06-30"))
    assert early.bars[0].dates[-1] == np.datetime64("2010-06-30")
