"""A file or a frame that continues what the store holds is put to it; one that does not is refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.calendars import sessions
from forecaster.data.store import Store
from forecaster.errors import DataError
from tests.conftest import Run
from tests.conftest import bars as made

DAYS = sessions("XNYS", np.datetime64("2020-01-02"), np.datetime64("2020-12-31"))
WHOLE = made("KO", DAYS)
WHOLE = replace(WHOLE, adj_close=WHOLE.close * np.where(np.arange(len(DAYS)) < 100, 0.98, 1.0))
PRICES = ("open", "high", "low", "close")


def part(first: int, last: int, bars: Bars = WHOLE) -> Bars:
    return bars.between(bars.dates[first], bars.dates[last - 1])


def scaled(bars: Bars, factor: float, names: tuple[str, ...] = (*PRICES, "adj_close")) -> Bars:
    return replace(bars, **{name: getattr(bars, name) * factor for name in names})  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two hundred days of KO."""
    store = Store(tmp_path / "store")
    store.write(part(0, 200), source="file")
    return store


def add(store: Store, bars: Bars) -> tuple[str, str]:
    """What became of a part, and why."""
    change = store.write(bars, source="file", part=True)
    return change.status, change.reason


def held(store: Store, last: int) -> bool:
    return store.read("KO").same_as(part(0, last))


def test_the_last_forty_sessions_of_which_thirty_are_held_add_ten(store: Store) -> None:
    change = store.write(part(170, 210), source="file", part=True)
    assert (change.status, change.rows_added) == ("updated", 10)
    assert held(store, 210)


def test_what_is_held_already_changes_nothing(store: Store) -> None:
    before = store.path("KO").read_bytes()
    assert add(store, part(50, 90)) == ("unchanged", "")
    assert store.path("KO").read_bytes() == before


def test_a_whole_history_takes_the_place_of_what_is_held_whatever_its_scale(store: Store) -> None:
    assert add(store, scaled(part(0, 210), 0.5))[0] == "updated"
    assert np.array_equal(store.read("KO").close, part(0, 210).close * 0.5)


def test_older_days_and_days_between_are_added_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    holed = part(40, 200)
    keep = np.ones(len(holed), bool)
    keep[60:63] = False
    names = ("dates", *COLUMNS)
    store.write(replace(holed, **{name: getattr(holed, name)[keep] for name in names}), source="file")
    change = store.write(part(0, 120), source="file", part=True)
    assert (change.status, change.rows_added) == ("updated", 43)
    assert held(store, 200)


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_prices_that_are_written_with_fewer_digits_are_the_same(store: Store, digits: int) -> None:
    rounded = part(170, 210)
    rounded = replace(rounded, **{name: np.round(getattr(rounded, name), digits) for name in (*PRICES, "adj_close")})
    assert add(store, rounded)[0] == "updated"
    assert store.read("KO").between(end=DAYS[199]).same_as(part(0, 200))


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.5, "0.5 times the stored ones on all 30 common days, as after a split of 2 for 1"),
        (20.0, "20 times the stored ones on all 30 common days, as after a split of 1 for 20"),
        (
            0.01,
            "0.01 times the stored ones on all 30 common days, as where one is in pence or cents, or after a split",
        ),
        (0.9731, "0.9731 times the stored ones on all 30 common days, as after a split or another adjustment"),
    ],
)
def test_one_constant_ratio_is_said_with_the_remedy(store: Store, factor: float, words: str) -> None:
    status, reason = add(store, scaled(part(170, 210), factor))
    assert status == "kept"
    assert f"They cannot be merged: its prices are {words}. Export the whole history and fetch that" in reason
    assert "the store holds 200 rows from 2020-01-02 to" in reason
    assert "--force replaces it" in reason
    assert held(store, 200)


def test_a_dividend_since_is_said_too(store: Store) -> None:
    status, reason = add(store, scaled(part(170, 210), 0.99, ("adj_close",)))
    assert status == "kept"
    assert "its adjusted closes are 0.99 times the stored ones on all 30 common days, as after a new dividend" in reason


def test_days_that_disagree_are_refused_with_the_first(store: Store) -> None:
    given = part(170, 210)
    high = given.high.copy()
    high[5] *= 1.01
    status, reason = add(store, replace(given, high=high))
    assert status == "kept"
    assert (
        f"high on {DAYS[175]} is {given.high[5]:g} in the store and {high[5]:g} in the file, "
        "different on 1 of the 30 common days" in reason
    )
    assert held(store, 200)


def test_a_file_without_adjusted_closes_goes_on_with_those_held(store: Store) -> None:
    given = part(90, 210)
    assert add(store, replace(given, adj_close=given.close.copy()))[0] == "updated"
    assert held(store, 210)


def test_without_a_day_in_common_the_next_session_continues(store: Store) -> None:
    assert add(store, part(200, 210))[0] == "updated"
    assert held(store, 210)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (part(203, 210), "3 sessions are missing: use a file that starts within the stored history"),
        (scaled(part(200, 210), 0.1), "possibly a split"),
        (replace(part(170, 210), currency="EUR"), "the store has USD on XNYS, the file EUR on XNYS"),
    ],
    ids=["gap", "split", "currency"],
)
def test_what_cannot_be_checked_is_refused(store: Store, given: Bars, words: str) -> None:
    status, reason = add(store, given)
    assert status == "kept"
    assert words in reason
    assert held(store, 200)


def test_the_source_stays_that_of_what_is_held(store: Store) -> None:
    Store(store.root).write(part(0, 200), source="yahoo", force=True)
    other = replace(part(0, 200), volume=part(0, 200).volume + 1)
    store.write(other, source="yahoo")
    add(store, part(170, 210))
    assert store.record("KO").source == "yahoo"


def as_frame(bars: Bars) -> pd.DataFrame:
    columns = {"Open": bars.open, "High": bars.high, "Low": bars.low, "Close": bars.close, "Adj Close": bars.adj_close}
    return pd.DataFrame(columns | {"Volume": bars.volume}, index=pd.DatetimeIndex(bars.dates, name="Date"))


def test_frames_are_appended_like_files(tmp_path: Path) -> None:
    for first, last in ((0, 200), (170, 210), (205, 230)):
        forecaster.store_frame({"KO": as_frame(part(first, last))}, data_dir=tmp_path)
    assert held(Store(tmp_path), 230)
    with pytest.raises(
        DataError, match=r"KO: the store holds 230 rows .*force=True replaces it\. They cannot be merged: its"
    ):
        forecaster.store_frame({"KO": as_frame(scaled(part(200, 240), 2))}, data_dir=tmp_path)
    forecaster.store_frame({"KO": as_frame(scaled(part(200, 240), 2))}, data_dir=tmp_path, force=True)
    assert len(Store(tmp_path).read("KO")) == 40


@pytest.fixture
def fetch(forecast: Run, tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Fetch a part from a CSV with the real command: exit code and the ticker's row."""

    def run(bars: Bars, *more: str) -> tuple[int, dict[str, Any]]:
        as_frame(bars).to_csv(tmp_path / "KO.csv")
        done = forecast("fetch", "--source", "file", "--path", "KO.csv", "--format", "json", "--quiet", *more)
        (row,) = json.loads(done.stdout)
        return done.returncode, row

    return run


def test_fetch_appends_what_a_file_adds(fetch: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    assert fetch(part(0, 200))[1]["status"] == "new"
    code, row = fetch(part(170, 210))
    assert (code, row["status"], row["added"], row["rows"]) == (0, "updated", 10, 210)
    code, row = fetch(part(170, 210))
    assert (code, row["status"], row["added"], row["rows"]) == (0, "unchanged", 0, 210)
    code, row = fetch(scaled(part(180, 220), 0.5))
    assert (code, row["status"], row["rows"]) == (2, "kept", 210)
    assert "as after a split of 2 for 1" in row["reason"]
    code, row = fetch(part(180, 220), "--full")
    assert (code, row["status"], row["rows"]) == (2, "kept", 210)
    code, row = fetch(part(180, 220), "--force")
    assert (code, row["status"], row["rows"]) == (0, "updated", 40)


def test_a_part_that_was_asked_for_by_dates_is_appended_too(fetch: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    fetch(part(0, 200))
    code, row = fetch(WHOLE, "--start", str(DAYS[190]), "--end", str(DAYS[209]))
    assert (code, row["status"], row["rows"]) == (0, "updated", 210)
