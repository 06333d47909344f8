"""Adjusted closes that cannot be used, and splits on which events and prices disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.cleaning import RawRows, clean
from forecaster.data.quality import oddities
from forecaster.data.store import Store
from forecaster.workflows.verify import verify
from tests.conftest import Run

N = 120
DAY = 70
"""The row on which something happens."""


def raw(ticker: str = "AAPL", **changes: object) -> RawRows:
    """Calm candles around 100 whose columns `changes` replace."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, N)))
    columns: dict[str, np.ndarray] = {
        "open": close * 1.001,
        "high": close * 1.01,
        "low": close * 0.99,
        "close": close,
        "adj_close": close.copy(),
        "volume": np.full(N, 1000.0),
    }
    dates = sessions("XNYS", np.datetime64("2023-06-01"), np.datetime64("2024-12-31"))[:N]
    return RawRows(ticker, dates, columns | changes)  # type: ignore[arg-type]


def event(ratio: float, row: int = DAY) -> np.ndarray:
    split = np.ones(N)
    split[row] = ratio
    return split


def jumping(
    factor: float, row: int = DAY, names: tuple[str, ...] = ("open", "high", "low", "close", "adj_close")
) -> RawRows:
    """Prices that are `factor` times what they were, from one row on."""
    rows = raw()
    after = np.where(np.arange(N) >= row, factor, 1.0)
    return replace(rows, columns=rows.columns | {name: rows.columns[name] * after for name in names})


def with_split(rows: RawRows, ratio: float, row: int = DAY) -> RawRows:
    return replace(rows, columns=rows.columns | {"split": event(ratio, row)})


def adjusted_moves(bars: Bars) -> np.ndarray:
    """The largest move of any adjusted price from one day to the next."""
    prices = bars.adjusted()
    return np.abs(np.diff(np.log(prices), axis=0)).max()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -0.77, 0.0], ids=str)
@pytest.mark.parametrize("rows", [slice(0, 50), slice(N - 50, N), slice(30, 80)], ids=["oldest", "newest", "between"])
def test_unusable_adjusted_closes_cost_no_candle_and_are_named(bad: float, rows: slice) -> None:
    given = raw()
    adjusted = given.columns["close"] * 0.5
    adjusted[rows] = bad
    bars, notes = clean(replace(given, columns=given.columns | {"adj_close": adjusted}))
    assert np.array_equal(bars.close, given.columns["close"])
    assert np.allclose(bars.adj_close, given.columns["close"] * 0.5, rtol=1e-12)
    what = "without an adjusted close (first" if np.isnan(bad) else f"a usable adjusted close (adj_close {bad:g} on"
    assert len(notes) == 1
    assert f"50 of {N} rows" in notes[0]
    assert what in notes[0]
    assert str(given.dates[rows][0]) in notes[0]


def test_an_adjustment_is_only_called_known_between_rows_that_agree_on_it() -> None:
    given = raw()
    factor = np.where(np.arange(N) < 60, 0.9, 1.0)
    known, open_ = given.columns["close"] * factor, given.columns["close"] * factor
    known[10:13], open_[58:62] = np.nan, np.nan
    bars, notes = clean(replace(given, columns=given.columns | {"adj_close": known}))
    assert notes == (
        f"3 of {N} rows without an adjusted close (first 2023-06-15): filled with the adjustment of the rows nearby",
    )
    assert np.allclose(bars.adj_close, given.columns["close"] * factor)
    bars, notes = clean(replace(given, columns=given.columns | {"adj_close": open_}))
    assert len(notes) == 1
    assert "splits and dividends there will look like price moves" in notes[0]
    assert len(bars) == N


def test_adjusted_closes_of_which_none_is_usable_are_as_good_as_none() -> None:
    bars, notes = clean(raw(adj_close=np.zeros(N)))
    assert np.array_equal(bars.adj_close, bars.close)
    assert notes == (
        "no adjusted close: splits and dividends will look like price moves (adj_close 0 on 2023-06-01 is not usable)",
    )


@pytest.mark.parametrize(("ratio", "row"), [(10.0, DAY), (2.0, 5), (0.05, DAY), (1.5, DAY), (1 / 190, N - 2), (2.0, 1)])
def test_a_split_that_is_not_in_the_prices_is_applied_wherever_it_stands(ratio: float, row: int) -> None:
    given = with_split(jumping(1 / ratio, row), ratio, row)
    bars, notes = clean(given)
    assert adjusted_moves(bars) < 0.05
    assert np.array_equal(bars.close[row:], given.columns["close"][row:])
    assert np.allclose(bars.close[:row], given.columns["close"][:row] / ratio, rtol=1e-12)
    scaled = f"divided by {ratio:g}" if ratio > 1 else f"multiplied by {1 / ratio:g}"
    assert notes == (
        f"the split of {ratio:g} on {given.dates[row]} was not in the prices: the {row} rows before it were {scaled}",
    )
    assert oddities(bars) == []


def test_two_splits_that_are_not_in_the_prices_are_both_applied() -> None:
    given = jumping(1 / 2, 30)
    after = np.where(np.arange(N) >= 90, 1 / 3, 1.0)
    columns = {name: given.columns[name] * after for name in ("open", "high", "low", "close", "adj_close")}
    split = event(2.0, 30) * event(3.0, 90)
    bars, notes = clean(replace(given, columns=given.columns | columns | {"split": split}))
    assert adjusted_moves(bars) < 0.05
    assert len(notes) == 2


@pytest.mark.parametrize("beside", [-2, -1, 1, 2])
def test_a_split_that_is_dated_beside_the_jump_is_applied_where_prices_jump(beside: int) -> None:
    given = with_split(jumping(1 / 4), 4.0, DAY + beside)
    bars, notes = clean(given)
    assert adjusted_moves(bars) < 0.05
    assert len(notes) == 1


def test_a_split_that_is_rightly_applied_is_not_touched() -> None:
    for given in (with_split(raw(), 10.0), with_split(jumping(0.1, names=("open", "high", "low", "close")), 10.0)):
        bars, notes = clean(given)
        assert notes == ()
        assert np.array_equal(bars.close, given.columns["close"])
        assert np.array_equal(bars.adj_close, given.columns["adj_close"])
        assert oddities(bars) == []


def test_a_split_that_was_applied_twice_to_the_adjusted_close_is_taken_out_once() -> None:
    given = with_split(jumping(2.0, names=("adj_close",)), 2.0)
    bars, notes = clean(given)
    assert adjusted_moves(bars) < 0.05
    assert np.array_equal(bars.close, given.columns["close"])
    assert [note.partition(":")[0] for note in notes] == [
        f"the split of 2 on {given.dates[DAY]} was twice in the adjusted closes"
    ]


def test_volumes_follow_a_split_only_where_they_jump_with_it() -> None:
    jumped = np.where(np.arange(N) >= DAY, 10_000.0, 1000.0)
    for volume, expected in ((jumped, 10_000.0), (np.full(N, 1000.0), 1000.0)):
        rows = with_split(jumping(0.1), 10.0)
        bars, _ = clean(replace(rows, columns=rows.columns | {"volume": volume}))
        assert np.allclose(bars.volume, expected)


def test_prices_that_jump_as_after_a_split_without_any_are_reported_and_left() -> None:
    for given, words in (
        (jumping(0.5), "the prices are 0.5 times those before on"),
        (jumping(0.5, names=("adj_close",)), "the adjusted closes are 0.5 times those before on"),
    ):
        bars, notes = clean(given)
        assert np.array_equal(bars.close, given.columns["close"])
        assert [note.partition(", but")[0] for note in notes] == [f"{words} {given.dates[DAY]}, as after a split"]
        assert [(one.kind, one.text) for one in oddities(bars)] == [("split", notes[0])]


def test_a_crash_that_is_no_whole_ratio_is_no_split() -> None:
    assert clean(jumping(0.44))[1] == ()


def test_verify_finds_a_split_that_an_older_store_holds(make_bars: Callable[..., Bars], tmp_path: Path) -> None:
    given = with_split(jumping(0.1), 10.0)
    columns = {name: given.columns[name] for name in given.columns}
    held = make_bars("OLD", given.dates, **columns)
    Store(tmp_path).write(held, source="file")
    found = [(one.ticker, one.kind) for one in verify(tmp_path) if one.kind == "split"]
    assert found == [("OLD", "split")]


def test_fetch_says_which_split_it_applied_and_verify_is_content(forecast: Run, tmp_path: Path) -> None:
    given = with_split(jumping(0.1), 10.0)
    frame = pd.DataFrame(given.columns | {"date": given.dates})
    frame["stock splits"] = frame.pop("split").replace(1.0, 0.0)  # as Yahoo writes it
    frame.to_csv(tmp_path / "FWD.csv", index=False)
    fetched = forecast("fetch", "--source", "file", "--path", "FWD.csv")
    assert fetched.returncode == 0, fetched.stderr
    assert (
        f"the split of 10 on {given.dates[DAY]} was not in the prices: the {DAY} rows before it were" in fetched.stdout
    )
    assert forecast("data", "verify").returncode in (0, 3)
    assert "split" not in forecast("data", "verify").stdout
