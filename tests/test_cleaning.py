from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.data.cleaning import MOST_BAD, RawRows, clean
from forecaster.errors import DataError

N = 40


def raw(**changes: object) -> RawRows:
    """Forty good rows; a change is a column, or {row: value} in one."""
    columns: dict[str, np.ndarray] = {
        "open": np.full(N, 10.0),
        "high": np.full(N, 12.0),
        "low": np.full(N, 9.0),
        "close": np.full(N, 11.0),
        "adj_close": np.full(N, 5.5),
        "volume": np.full(N, 100.0),
    }
    dates = np.busday_offset("2020-01-02", np.arange(N))
    for name, change in changes.items():
        target = dates if name == "dates" else columns[name]
        if isinstance(change, dict):
            for row, value in change.items():
                target[row] = value
        elif change is None:
            del columns[name]
        else:
            columns[name] = np.asarray(change)
    return RawRows("AAPL", dates, columns)


def test_good_rows_pass_without_a_word() -> None:
    bars, notes = clean(raw())
    assert len(bars) == N
    assert notes == ()
    assert np.all(bars.split == 1)
    assert np.all(bars.dividend == 0)


def test_rows_out_of_order_are_sorted_and_said() -> None:
    rows = raw()
    turned = RawRows("AAPL", rows.dates[::-1], {name: column[::-1] for name, column in rows.columns.items()})
    bars, notes = clean(turned)
    assert bars.same_as(clean(rows)[0])
    assert notes == ("rows sorted by date",)


def test_a_row_that_repeats_another_is_dropped() -> None:
    bars, notes = clean(raw(dates={5: "2020-01-08"}))  # the date of row 4
    assert len(bars) == N - 1
    assert notes == ("1 row repeated dropped",)


def test_two_different_rows_of_one_date_are_refused_with_both_values() -> None:
    with pytest.raises(DataError, match=r"AAPL: 2020-01-08 appears twice with different values \(open 10 and 10.5\)"):
        clean(raw(dates={5: "2020-01-08"}, open={5: 10.5}))


def test_an_empty_row_beside_a_full_one_of_the_same_date_is_no_conflict() -> None:
    bars, notes = clean(raw(dates={5: "2020-01-08"}, close={5: np.nan}))
    assert len(bars) == N - 1
    assert notes == ("1 row without a price dropped",)


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
def test_a_row_without_a_price_is_dropped_and_counted(column: str) -> None:
    bars, notes = clean(raw(**{column: {3: np.nan, 7: np.nan}}))
    assert len(bars) == N - 2
    assert notes == ("2 rows without a price dropped",)


@pytest.mark.parametrize(("column", "value"), [("open", 0.0), ("close", -1.0), ("high", np.inf), ("low", 13.0)])
def test_an_impossible_row_is_dropped_and_shown(column: str, value: float) -> None:
    bars, notes = clean(raw(**{column: {3: value}}))
    assert len(bars) == N - 1
    assert notes[0].startswith("1 row with a price ≤ 0 or high < low dropped (first 2020-01-07: open ")


def test_a_file_of_impossible_rows_is_refused_as_swapped_columns() -> None:
    with pytest.raises(DataError, match=r"AAPL: 40 of its 40 rows have .*high 9, low 12|none of its 40 rows") as caught:
        clean(raw(high=np.full(N, 9.0), low=np.full(N, 12.0)))
    assert "fix the rows or the column names" in str(caught.value)


def test_more_than_a_twentieth_of_bad_rows_is_refused() -> None:
    few, many = int(N * MOST_BAD), int(N * MOST_BAD) + 1
    assert len(clean(raw(close=dict.fromkeys(range(few), -1.0)))[0]) == N - few
    with pytest.raises(DataError, match=r"3 of its 40 rows have a price ≤ 0 .* close -1\), expected in at most 5%"):
        clean(raw(close=dict.fromkeys(range(many), -1.0)))


def test_a_high_below_the_close_is_widened_and_said() -> None:
    bars, notes = clean(raw(high={3: 10.5}, low={3: 10.2}))
    assert bars.high[3] == 11
    assert bars.low[3] == 10
    candle = "first 2020-01-07: open 10, high 10.5, low 10.2, close 11"
    assert notes == (f"high or low widened to enclose open and close in 1 row ({candle})",)


def test_swapped_open_and_high_columns_are_refused() -> None:
    with pytest.raises(DataError, match=r"a high or low that does not enclose open and close"):
        clean(raw(open=np.full(N, 12.0), high=np.full(N, 10.0)))


def test_a_missing_adjusted_close_is_the_close_and_is_said() -> None:
    for rows in (raw(adj_close=None), raw(adj_close=np.full(N, np.nan))):
        bars, notes = clean(rows)
        assert np.array_equal(bars.adj_close, bars.close)
        assert notes == ("no adjusted close: splits and dividends will look like price moves",)


def test_a_missing_volume_is_nought_and_a_negative_one_is_said() -> None:
    assert np.all(clean(raw(volume=None))[0].volume == 0)
    bars, notes = clean(raw(volume={3: np.nan, 4: -7.0}))
    assert bars.volume[[3, 4]].tolist() == [0, 0]
    assert notes == ("volume below 0 set to 0 in 1 row",)


def test_splits_and_dividends_that_are_missing_or_nought_mean_none() -> None:
    rows = raw()
    rows.columns["split"] = np.where(np.arange(N) == 3, 2.0, 0.0)
    rows.columns["dividend"] = np.where(np.arange(N) == 4, 0.5, np.nan)
    bars, _ = clean(rows)
    assert bars.split.sum() == N + 1
    assert bars.dividend.sum() == 0.5


def test_rows_without_any_price_are_refused() -> None:
    with pytest.raises(DataError, match=r"AAPL: none of its 40 rows has all four prices above 0"):
        clean(raw(close=np.full(N, np.nan)))


PRICE = st.floats(min_value=-1, max_value=100) | st.just(float("nan")) | st.just(float("inf"))


@given(st.lists(st.tuples(st.integers(0, 30), PRICE, PRICE, PRICE, PRICE), min_size=1, max_size=30))
def test_any_rows_become_checked_bars_or_one_line(rows: list[tuple[int, float, float, float, float]]) -> None:
    table = np.array(rows, np.float64)
    dates = np.datetime64("2020-01-01") + table[:, 0].astype(int)
    columns = dict(zip(("open", "high", "low", "close"), table[:, 1:].T, strict=True))
    try:
        bars, notes = clean(RawRows("X", dates, columns))
    except DataError as error:
        complaint = str(error)
    else:
        complaint = "X: "
        assert 0 < len(bars) <= len(rows)
        assert len(bars) == len(rows) or any("dropped" in note for note in notes)
    assert complaint.startswith("X: ")
    assert "\n" not in complaint


def test_rows_of_days_to_come_are_dropped_and_counted() -> None:
    bars, notes = clean(raw(dates={N - 1: "2099-01-02"}))
    assert len(bars) == N - 1
    assert notes == ("1 row dated in the future dropped (first 2099-01-02: open 10, high 12, low 9, close 11)",)
