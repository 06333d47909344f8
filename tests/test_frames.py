"""pandas frames in and out, as a notebook has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError
from forecaster.workflows.train import TrainedRun
from tests.studio import QUICK, panel

pytest_plugins = ("tests.studio_fixtures",)

YAHOO = ("Open", "High", "Low", "Close", "Adj Close", "Volume")


def yahoo(bars: Bars, rows: int = 400) -> pd.DataFrame:
    """A ticker's newest candles as `yfinance.Ticker.history` gives them, dates in the index."""
    part = bars.between(bars.dates[-rows])
    columns = (part.open, part.high, part.low, part.close, part.adj_close, part.volume)
    index = pd.DatetimeIndex(part.dates, name="Date").tz_localize("America/New_York")
    return pd.DataFrame(dict(zip(YAHOO, columns, strict=True)), index=index)


def long(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.reset_index().assign(Ticker=name) for name, frame in frames.items()], ignore_index=True)


@pytest.fixture
def frames(real_bars: dict[str, Bars]) -> dict[str, pd.DataFrame]:
    return {ticker: yahoo(real_bars[ticker]) for ticker in ("AAPL", "IBM")}


def held(folder: Path, real_bars: dict[str, Bars]) -> None:
    """The store has what the frames were made from."""
    store = Store(folder)
    assert store.tickers() == ("AAPL", "IBM")
    for ticker in store.tickers():
        own, expected = store.read(ticker), real_bars[ticker].between(real_bars[ticker].dates[-400])
        assert np.array_equal(own.dates, expected.dates)
        assert np.allclose(own.adjusted(), expected.adjusted(), rtol=1e-12)
        assert np.array_equal(own.volume, expected.volume)


def test_a_frame_for_each_ticker_becomes_a_store(
    frames: dict[str, pd.DataFrame], real_bars: dict[str, Bars], tmp_path: Path
) -> None:
    assert forecaster.store_frame(frames, data_dir=tmp_path / "store") == tmp_path / "store"
    held(tmp_path / "store", real_bars)


def test_a_long_frame_and_yfinances_wide_one_are_read_alike(
    frames: dict[str, pd.DataFrame], real_bars: dict[str, Bars]
) -> None:
    held(forecaster.store_frame(long(frames)), real_bars)
    wide = pd.concat(frames, axis=1)
    held(forecaster.store_frame(wide), real_bars)
    held(forecaster.store_frame(wide.swaplevel(axis=1).sort_index(axis=1)), real_bars)


def test_the_frame_that_is_given_stays_as_it_was(frames: dict[str, pd.DataFrame]) -> None:
    nameless = {name: frame.rename_axis(index=None) for name, frame in frames.items()}
    before = {name: frame.copy() for name, frame in nameless.items()}
    forecaster.store_frame(nameless)
    for name, frame in nameless.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_what_was_repaired_is_said(frames: dict[str, pd.DataFrame]) -> None:
    said: list[str] = []
    forecaster.store_frame({"ibm": frames["IBM"].drop(columns="Adj Close").iloc[::-1]}, say=said.append)
    assert "IBM: rows sorted by date" in said
    assert any("no adjusted close" in note for note in said)


def test_nothing_is_stored_when_one_frame_cannot_be_used(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    frames["IBM"] = frames["IBM"].drop(columns="High")
    with pytest.raises(DataError, match="the frame of IBM: no column for high"):
        forecaster.store_frame(frames, data_dir=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_shorter_history_does_not_replace_a_longer_one_unless_forced(
    frames: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    forecaster.store_frame(frames, data_dir=tmp_path)
    shorter = {"IBM": frames["IBM"].iloc[10:] * 3}
    with pytest.raises(DataError, match=r"IBM: the store holds 400 rows .* force=True replaces it"):
        forecaster.store_frame(shorter, data_dir=tmp_path)
    forecaster.store_frame(shorter, data_dir=tmp_path, force=True)
    assert len(Store(tmp_path).read("IBM")) == 390


def test_what_is_no_frame_is_refused_in_one_line(frames: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(DataError, match=r'no ticker column: add one, or pass a dict: \{"AAPL": frame\}'):
        forecaster.store_frame(frames["IBM"])
    with pytest.raises(DataError, match="no frame was given"):
        forecaster.store_frame({})
    with pytest.raises(DataError, match="IBM is given twice"):
        forecaster.store_frame({"IBM": frames["IBM"], "ibm ": frames["IBM"]})
    gap = long(frames)
    gap.loc[2, "Ticker"] = None
    with pytest.raises(DataError, match="the ticker in row 3 is missing"):
        forecaster.store_frame(gap)
    with pytest.raises(InputError, match="is not a ticker symbol"):
        forecaster.store_frame({"../IBM": frames["IBM"]})


def test_training_and_forecasting_from_frames_to_frames(frames: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    store = forecaster.store_frame(frames)
    split = "data.split={train_end: 2012-06-29, validation_end: 2012-09-28, test_end: 2013-02-28}"
    settings = [*QUICK, split, "data.tickers=all", "training.steps=2", "task.context=5"]
    run = forecaster.train("gru", settings=settings, data_dir=store, runs_dir=tmp_path)
    made = forecaster.to_frame(forecaster.predict(["AAPL", "IBM"], data_dir=store, runs_dir=tmp_path))
    assert set(made["ticker"]) == {"AAPL", "IBM"}
    assert made["date"].min() == pd.Timestamp("2013-03-04")
    points = made[made["level"].isna() & made["variable"].isin(["open", "high", "low", "close"])]
    candles = points.pivot_table(index=["ticker", "step"], columns="variable", values="value")
    assert len(candles) == 6
    assert (candles["low"] <= candles[["open", "close"]].min(axis=1)).all()
    assert set(forecaster.to_frame(run)["name"]) >= {"gru", "last-close"}


def test_a_scorecard_as_a_frame_has_its_rows(trained: TrainedRun) -> None:
    frame = forecaster.to_frame(trained.scorecard)
    assert len(frame) == len(trained.scorecard.rows)
    assert frame.loc[0, "pinball"] == trained.scorecard.rows[0].pinball
    pd.testing.assert_frame_equal(frame, forecaster.to_frame(trained))


def test_a_panel_as_a_frame_has_its_adjusted_candles_and_can_be_stored_again() -> None:
    own = panel(80, 70)
    frame = forecaster.to_frame(own)
    assert list(frame.columns) == ["ticker", "date", "open", "high", "low", "close", "volume"]
    assert np.array_equal(frame["close"], own.prices[:, 3])
    again = forecaster.load_panel(data_dir=forecaster.store_frame(frame))
    assert again.tickers == own.tickers
    assert np.allclose(again.prices, own.prices, rtol=1e-12)


def test_what_no_frame_can_be_made_of_is_refused() -> None:
    with pytest.raises(InputError, match="to_frame cannot convert a str"):
        forecaster.to_frame("gru")
    with pytest.raises(InputError, match="things of several kinds"):
        forecaster.to_frame([panel(70), "gru"])
    assert forecaster.to_frame([]).empty
