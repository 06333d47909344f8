"""Which of all tickers a run learns from and is tested on, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecaster.config.schema import Config
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError
from forecaster.runs.config import load_config
from forecaster.runs.prepare import prepare
from tests.studio import bars

SPLIT = "data.split={validation: 6m, test: 6m}"


def config(*settings: str) -> Config:
    return load_config("gru", ("task.context=20", SPLIT, *settings))


def store_of(folder: Path, *made: Any) -> Path:
    for one in made:
        Store(folder).write(one, source="file")
    return folder


def prepared(folder: Path, *settings: str) -> tuple[tuple[str, ...], list[str], str]:
    """Tickers of the run, the notes, and the last date of the test."""
    said: list[str] = []
    trial = prepare(config(*settings), folder, said.append)
    return trial.panel.tickers, [text for text in said if text.startswith("note: ")], str(trial.split.test_end)


def test_a_ticker_that_begins_after_the_end_of_the_data_is_left_out(tmp_path: Path) -> None:
    """An early data.end was refused as soon as one ticker of the store was younger."""
    store = store_of(tmp_path, bars("OLD", 800), bars("OLDER", 800, 1), bars("YOUNG", 300, 2, "2013-01-02"))
    tickers, notes, end = prepared(store, "data.end=2012-06-29")
    assert tickers == ("OLD", "OLDER")
    assert end == "2012-06-29"
    assert notes == ["note: 1 of 3 tickers have no candle from the start to 2012-06-29 and are left out: YOUNG"]


def test_one_that_ended_before_the_start_of_the_data_is_left_out(tmp_path: Path) -> None:
    store = store_of(tmp_path, bars("NOW", 800, start="2012-01-02"), bars("GONE", 100))
    tickers, (note,), _ = prepared(store, "data.start=2012-01-02")
    assert tickers == ("NOW",)
    assert note == "note: 1 of 2 tickers have no candle from 2012-01-02 to the end and are left out: GONE"


def test_tickers_that_end_before_validation_are_left_out_and_named(tmp_path: Path) -> None:
    """The sample and one CSV of today were tested on the CSV alone, and nobody heard of it."""
    old = [bars(f"OLD{number}", 600, number) for number in range(5)]
    store = store_of(tmp_path, *old, bars("MINE", 900, 9, "2018-01-02"))
    tickers, (note,), end = prepared(store)
    assert tickers == ("MINE",)
    assert end == str(Store(store).read("MINE").dates[-1])
    assert note.startswith("note: 5 of 6 tickers end before validation begins (after 2020-06-")
    assert note.endswith(" and are left out: OLD0, OLD1, OLD2, OLD3, OLD4")


def test_where_what_is_left_is_too_short_the_reason_is_said(tmp_path: Path) -> None:
    store = store_of(tmp_path, bars("OLD", 900), bars("MINE", 200, 9, "2018-01-02"))
    said: list[str] = []
    with pytest.raises(InputError, match=r"data.split ends training on .* but the candles begin on 2018-01-02"):
        prepare(config(), store, said.append)
    assert said[1].endswith("and are left out: OLD")


def test_tickers_that_reach_validation_stay_though_they_end_before_the_test(tmp_path: Path) -> None:
    long, short = bars("LONG", 900), bars("SHORT", 700, 1)
    tickers, notes, _ = prepared(store_of(tmp_path, long, short))
    assert (tickers, notes) == (("LONG", "SHORT"), [])


def test_tickers_that_are_named_are_never_left_out(tmp_path: Path) -> None:
    store = store_of(tmp_path, bars("LONG", 900), bars("SHORT", 300, 1), bars("YOUNG", 100, 2, "2013-01-02"))
    assert prepared(store, "data.tickers=[LONG, SHORT]")[:2] == (("LONG", "SHORT"), [])
    with pytest.raises(InputError, match="YOUNG: no candles between the start and 2012-06-29"):
        prepared(store, "data.tickers=[LONG, YOUNG]", "data.end=2012-06-29")


def test_where_no_ticker_is_left_the_dates_are_the_reason(tmp_path: Path) -> None:
    store = store_of(tmp_path, bars("OLD", 900))
    with pytest.raises(InputError, match="no ticker has candles from the start to 1999-12-31: choose other dates"):
        prepared(store, "data.end=1999-12-31")


def test_weekly_candles_of_an_older_store_are_left_out_or_refused(tmp_path: Path) -> None:
    weekly = replace(bars("WEEK", 300, 3), dates=np.datetime64("2008-01-04") + 7 * np.arange(300))
    store = store_of(tmp_path, bars("LONG", 900), weekly)
    tickers, (note,), _ = prepared(store)
    assert tickers == ("LONG",)
    assert note == "note: 1 of 2 tickers have candles that are not daily and are left out: WEEK"
    with pytest.raises(DataError, match="WEEK: candles that are not daily"):
        prepared(store, "data.tickers=[LONG, WEEK]")
