"""Candles of frames for one forecast: in memory, above what the store on disk has."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.bars import Bars
from forecaster.data.framestore import frame_store
from forecaster.data.memorystore import MemoryStore
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError
from forecaster.workflows.predict import Failure
from forecaster.workflows.train import TrainedRun, train
from tests.studio import QUICK, bars
from tests.test_frames import long, yahoo

pytest_plugins = ("tests.studio_fixtures",)

EVENING = dt.datetime(2013, 3, 1, 22, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def reader(store: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """A run that reads its own tickers' market and corrects its bands by their errors."""
    features = ["features=[base, vol, market]", "calibration={rolling: true}", "training.steps=5"]
    return train("gru", settings=[*QUICK, *features], data_dir=store, runs_dir=tmp_path_factory.mktemp("own"), name="m")


@pytest.fixture
def frames(real_bars: dict[str, Bars]) -> dict[str, pd.DataFrame]:
    return {ticker: yahoo(real_bars[ticker], len(real_bars[ticker])) for ticker in ("AAPL", "IBM", "MSFT", "GOOG")}


def prices(run: TrainedRun, tickers: Any, data_dir: Path, **more: Any) -> dict[str, np.ndarray]:
    made = forecaster.predict(tickers, run=str(run.folder), data_dir=data_dir, runs_dir=run.folder.parent, **more)
    return {one.ticker: one.prices for one in made}


def listed(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_runs_own_tickers_are_read_from_the_frames_where_there_is_no_store(
    reader: TrainedRun, store: Path, frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    before = listed(reader.folder.parent)
    own = prices(reader, frames, tmp_path / "none")
    assert listed(reader.folder.parent) == before
    assert not (tmp_path / "none").exists()
    expected = prices(reader, list(frames), store)
    for ticker, found in own.items():
        np.testing.assert_allclose(found, expected[ticker], rtol=1e-6)


def test_the_frames_come_before_the_store_and_the_store_gives_the_rest(
    reader: TrainedRun, store: Path, frames: dict[str, pd.DataFrame]
) -> None:
    np.testing.assert_allclose(
        prices(reader, {"IBM": frames["IBM"]}, store)["IBM"], prices(reader, "IBM", store)["IBM"], rtol=1e-6
    )
    doubled = frames["IBM"].copy()
    doubled.loc[doubled.index[-1:], ["High", "Close", "Adj Close"]] *= 1.1
    assert prices(reader, {"IBM": doubled}, store)["IBM"][0, 3, 3] > 1.05 * prices(reader, "IBM", store)["IBM"][0, 3, 3]
    foreign = prices(reader, {"XYZ": frames["IBM"]}, store)["XYZ"]
    np.testing.assert_allclose(foreign, prices(reader, "IBM", store)["IBM"], rtol=1e-6)


def test_a_frame_is_forecast_as_of_a_day_and_one_that_is_too_short_is_told_of(
    reader: TrainedRun, store: Path, frames: dict[str, pd.DataFrame]
) -> None:
    day = "2012-06-29"
    frames["NEW"] = frames["IBM"].tail(30)
    failed: list[Failure] = []
    own = prices(reader, long(frames), store, as_of=day, failed=failed.append)
    np.testing.assert_allclose(own["GOOG"], prices(reader, "GOOG", store, as_of=day)["GOOG"], rtol=1e-6)
    assert [one.ticker for one in failed] == ["NEW"]
    with pytest.raises(InputError, match=r"NEW has 30 candles, but a forecast needs"):
        prices(reader, {"NEW": frames["NEW"]}, store)


def test_frames_keep_no_forecast_for_the_journal(
    trained: TrainedRun, store: Path, frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    run = shutil.copytree(trained.folder, tmp_path / "runs" / "small")
    where: dict[str, Any] = {"run": "small", "data_dir": store, "runs_dir": run.parent}
    assert forecaster.predict({"IBM": frames["IBM"]}, **where)
    assert not (run.parent / "journal.sqlite").exists()
    assert forecaster.predict("IBM", **where)
    assert (run.parent / "journal.sqlite").exists()


def test_paths_grow_from_a_store_only(trained: TrainedRun, store: Path, frames: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(InputError, match=r"context=1 grows paths from a store's candles: write the frame to one"):
        prices(trained, frames, store, context=1, paths=10)


def test_a_candle_whose_session_is_still_open_is_left_out(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    during = dt.datetime(2013, 3, 1, 17, tzinfo=dt.UTC)
    memory, notes = frame_store(frames, tmp_path, during)
    assert memory.read("IBM").dates[-1] == np.datetime64("2013-02-28")
    assert notes["IBM"] == ("IBM's candle of 2013-03-01 was left out: its session is not over yet.",)
    memory, notes = frame_store(frames, tmp_path, EVENING)
    assert memory.read("IBM").dates[-1] == np.datetime64("2013-03-01")
    assert notes == {}


def test_the_forecast_says_that_a_candle_was_left_out(trained: TrainedRun, store: Path, tmp_path: Path) -> None:
    today = np.datetime64("today")
    known = bars("COIN", 400)
    frame = yahoo(known).set_axis(pd.DatetimeIndex(np.arange(today - 399, today + 1)), axis=0)
    Store(tmp_path / "store").write(always(known), source="test")  # which knows that it trades every day
    (made,) = forecaster.predict(
        {"COIN": frame}, run=str(trained.folder), runs_dir=trained.folder.parent, data_dir=tmp_path / "store"
    )
    assert made.origin == today - 1
    assert made.warnings[-1] == f"COIN's candle of {today} was left out: its session is not over yet."


def always(one: Bars) -> Bars:
    return replace(one, calendar="24/7", timezone="UTC")


def test_calendars_come_from_the_store_or_the_symbols_suffix(
    frames: dict[str, pd.DataFrame], real_bars: dict[str, Bars], tmp_path: Path
) -> None:
    Store(tmp_path).write(always(real_bars["MSFT"]), source="test")
    given = {"VOD.L": frames["IBM"].tz_localize(None), "BRK.B": frames["IBM"], "MSFT": frames["MSFT"].tz_localize(None)}
    memory, _ = frame_store(given, tmp_path, EVENING)
    calendars = {ticker: memory.read(ticker).calendar for ticker in memory.given}
    assert calendars == {"VOD.L": "XLON", "BRK.B": "XNYS", "MSFT": "24/7"}


def test_a_memory_store_is_a_store(sample_store: Store) -> None:
    memory = MemoryStore({"ZZZ": bars("ZZZ", 70), "IBM": bars("IBM", 70)}, sample_store.root)
    assert memory.tickers() == ("AAPL", "FB", "GOOG", "IBM", "MSFT", "ZZZ")
    assert len(memory.read("IBM")) == 70
    assert memory.read("AAPL").same_as(sample_store.read("AAPL"))
    assert memory.require(["ZZZ", "AAPL"]) == ("ZZZ", "AAPL")
    with pytest.raises(UnknownNameError, match="Unknown ticker 'AAPPL'"):
        memory.require(["ZZZ", "AAPPL"])
