from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecaster.data.bars import Bars
from forecaster.data.candlefile import write_candles
from forecaster.data.store import Change, Store, open_store
from forecaster.errors import DataError, InputError, OutsideError, UnknownNameError
from tests.damage import damaged

Make = Callable[..., Bars]
ROOT = Path(__file__).parents[1]

CLOSES = [100.251777, 99.987252, 101.27617, 101.488871, 100.407385]
"""Of the file in `golden/candles-1`."""

WRITER = """
import sys
from pathlib import Path
from tests.conftest import bars
from forecaster.data.store import Store
store, seed, count = Store(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
Store(sys.argv[1] + "-warm").write(bars(), source="what is slow the first time")
print("ready", flush=True)
for number in range(count):
    if Path(sys.argv[1] + "-stop").exists():
        break
    store.write(bars(days=2000 + number % 2, seed=seed), source=f"writer {seed}", force=True)
"""


def writer(folder: Path, seed: int, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(seed), str(count)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path, real_bars: dict[str, Bars]) -> None:
    store = Store(tmp_path / "store")
    for bars in real_bars.values():
        assert store.write(bars, source="sample").status == "new"
        assert store.read(bars.ticker).same_as(bars)
    assert store.tickers() == ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@pytest.mark.parametrize("symbol", ["^GSPC", "BRK-B", "EURUSD=X", "CON", "0700.HK", "A.B"])
def test_any_symbol_has_a_file(tmp_path: Path, make_bars: Make, symbol: str) -> None:
    store = Store(tmp_path)
    store.write(make_bars(symbol), source="test")
    assert store.tickers() == (symbol,)
    assert store.read(symbol).ticker == symbol


def test_a_record_tells_the_extent_from_the_footer(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    store.write(make_bars(currency="EUR", calendar="XFRA", timezone="Europe/Berlin"), source="file")
    record = store.record("AAPL")
    assert (record.rows, str(record.first), str(record.last)) == (5, "2020-01-02", "2020-01-08")
    assert (record.currency, record.calendar, record.timezone) == ("EUR", "XFRA", "Europe/Berlin")
    assert record.source == "file"
    assert record.changed.endswith("+00:00")


def test_a_ticker_is_since_its_first_writing_whatever_comes_later(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    store.write(make_bars(days=5), source="test")
    record = store.record("AAPL")
    assert record.since == record.changed
    write_candles(store.path("AAPL"), make_bars(days=5), "test", since="2020-02-03T04:05:06+00:00")
    store.write(make_bars(days=6), source="test")
    assert store.record("AAPL").since == "2020-02-03T04:05:06+00:00"


def test_a_file_of_format_1_is_read_to_the_last_value() -> None:
    """Made once and kept: `golden/candles-1` shows when a change makes the files of older versions unreadable."""
    store = Store(ROOT / "tests" / "golden" / "candles-1")
    record, bars = store.record("AAPL"), store.checked("AAPL")
    assert (record.rows, str(record.first), str(record.last)) == (5, "2020-01-02", "2020-01-08")
    assert (record.source, record.since) == ("sample", "2026-11-01T08:30:00+00:00")
    assert bars.close.round(6).tolist() == CLOSES


@pytest.mark.parametrize(
    "change", ["3", '{"calendar": 3}', '{"calendar": {"a": 1}}', '{"rows": "10"}', '{"format": "1"}']
)
def test_a_header_of_other_types_is_damage(change: str, tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path / "store")
    store.write(make_bars("AAPL", 10), source="file")
    table = pq.read_table(store.path("AAPL"))
    header, new = json.loads(table.schema.metadata[b"forecaster"]), json.loads(change)
    if isinstance(new, dict):
        new = {name: value for name, value in header.items() if name != "sum"} | new
    pq.write_table(table.replace_schema_metadata({"forecaster": json.dumps(new)}), store.path("AAPL"))
    for act in (store.read, store.record):
        with pytest.raises(
            DataError, match=r"AAPL\.parquet is damaged: .* is (no mapping|not a string|not a whole number)"
        ):
            act("AAPL")


@pytest.mark.parametrize("metadata", [None, {"pandas": "{}"}])
def test_a_file_of_another_program_is_called_one(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    store = Store(tmp_path)
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(metadata), store.path("AAPL"))
    with pytest.raises(DataError, match="is damaged: it was not written by forecaster"):
        store.read("AAPL")


def test_a_value_changed_by_hand_is_found_where_every_value_is_checked(tmp_path: Path, make_bars: Make) -> None:
    store, bars = Store(tmp_path), make_bars()
    store.write(bars, source="test")
    table = pq.read_table(path := store.path("AAPL"))
    place = table.column_names.index("volume")
    pq.write_table(table.set_column(place, "volume", pa.array(bars.volume + 1)), path)
    assert np.array_equal(store.read("AAPL").volume, bars.volume + 1)
    with pytest.raises(DataError, match="its values do not match their checksum"):
        store.checked("AAPL")


def test_a_part_that_adds_no_row_counts_none(tmp_path: Path, make_bars: Make) -> None:
    store, whole = Store(tmp_path), make_bars(days=60)
    store.write(whole, source="test")
    newest = whole.between(whole.dates[30])
    assert store.write(newest, source="test", part=True) == Change("unchanged", 0)
    foreign = replace(newest, currency="EUR")
    change = store.write(foreign, source="test", part=True)
    assert (change.status, change.rows_added) == ("kept", 0)


def test_equal_candles_leave_the_file_alone(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    store.write(make_bars(), source="test")
    path = store.path("AAPL")
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    before = path.read_bytes()
    assert store.write(make_bars(), source="other") == Change("unchanged", 0)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == 1_000_000_000


def test_a_longer_history_replaces_a_shorter(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    store.write(make_bars(days=5), source="test")
    change = store.write(make_bars(days=8), source="test")
    assert (change.status, change.rows_added) == ("updated", 3)
    assert len(store.read("AAPL")) == 8


def test_revised_values_of_the_same_days_replace_the_old(tmp_path: Path, make_bars: Make) -> None:
    store, bars = Store(tmp_path), make_bars()
    store.write(bars, source="test")
    revised = replace(bars, volume=bars.volume + 1)
    assert store.write(revised, source="test") == Change("updated", 0)
    assert store.read("AAPL").same_as(revised)


def test_tickers_are_required_by_their_own_spelling(sample_store: Store) -> None:
    assert sample_store.require(["IBM", "AAPL"]) == ("IBM", "AAPL")
    for ticker in ("ibm", "NONE"):
        with pytest.raises(UnknownNameError):
            sample_store.require(["AAPL", ticker])


@pytest.mark.parametrize("part", [slice(0, 4), slice(1, 5)])
def test_a_worse_history_is_kept_out_unless_forced(tmp_path: Path, make_bars: Make, part: slice) -> None:
    store = Store(tmp_path)
    long = make_bars(days=5)
    store.write(long, source="test")
    short = long.between(long.dates[part][0], long.dates[part][-1])
    change = store.write(short, source="test")
    assert (change.status, change.rows_added) == ("kept", 0)
    assert "the store holds 5 rows from 2020-01-02 to 2020-01-08, the source gave 4 rows" in change.reason
    assert "--force" in change.reason
    assert store.read("AAPL").same_as(long)
    assert store.write(short, source="test", force=True).status == "updated"
    assert store.read("AAPL").same_as(short)


@pytest.mark.parametrize(
    "days",
    [
        ["2020-01-02", "2020-01-03", "2020-01-07", "2020-01-08"],
        ["2019-12-30", "2019-12-31", "2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"],
    ],
    ids=["a hole", "ends earlier, with more rows"],
)
def test_a_history_that_lacks_a_day_is_worse_whatever_else_it_has(
    tmp_path: Path, make_bars: Make, days: list[str]
) -> None:
    store = Store(tmp_path)
    store.write(make_bars(days=5), source="test")
    assert store.write(make_bars(days=days), source="test").status == "kept"
    assert store.read("AAPL").same_as(make_bars(days=5))


def test_a_history_that_begins_later_is_worse_even_with_more_rows(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    store.write(make_bars(days=["2019-01-02", "2020-01-02"]), source="test")
    assert store.write(make_bars(days=5), source="test").status == "kept"


def test_nothing_is_no_history(tmp_path: Path, make_bars: Make) -> None:
    with pytest.raises(DataError, match=r"AAPL: no candles"):
        Store(tmp_path).write(make_bars(days=0), source="test", force=True)


def damage(kind: str, path: Path) -> None:
    good = path.read_bytes()
    if kind == "cut short":
        path.write_bytes(good[: len(good) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "foreign":
        pq.write_table(pa.table({"a": [1]}), path)
    elif kind == "without close":
        pq.write_table(pq.read_table(path).drop_columns("close"), path)
    elif kind == "too few rows":
        pq.write_table(pq.read_table(path).slice(1), path)
    elif kind == "negative price":
        table = pq.read_table(path)
        at = table.column_names.index("open")
        pq.write_table(table.set_column(at, "open", pa.array(-table["open"].to_numpy())), path)
    elif kind == "another ticker's":
        other = Store(path.parent)
        path.write_bytes(other.path("MSFT").read_bytes())


KINDS = (
    "cut short",
    "empty",
    "foreign",
    "without close",
    "too few rows",
    "negative price",
    "another ticker's",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_named_with_its_remedy_and_can_be_replaced(
    tmp_path: Path, make_bars: Make, kind: str
) -> None:
    store = Store(tmp_path)
    bars = make_bars(days=300)
    for one in (bars, make_bars("MSFT")):
        store.write(one, source="test")
    damage(kind, store.path("AAPL"))
    with pytest.raises(DataError) as caught:
        store.read("AAPL")
    message = str(caught.value)
    assert message.startswith(f"{store.path('AAPL')} is damaged: ")
    assert message.endswith("Delete it and fetch AAPL again.")
    assert "\n" not in message
    assert damaged(store) == ["AAPL"]
    assert store.write(bars, source="test").status == "new"
    assert store.read("AAPL").same_as(bars)


def test_a_single_flipped_bit_never_gives_other_candles(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path)
    bars = make_bars(days=300)
    store.write(bars, source="test")
    path = store.path("AAPL")
    good = path.read_bytes()
    found = 0
    for at in range(0, len(good), 31):
        path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        try:
            assert store.read("AAPL").same_as(bars), f"byte {at} of {len(good)}"
        except DataError:
            found += 1
    assert found > len(good) / 31 / 2


def test_no_byte_of_a_header_changes_what_is_said_of_a_ticker(tmp_path: Path, make_bars: Make) -> None:
    """Parquet has no sum over its footer: another currency, calendar or timezone would pass for the ticker's own."""
    store, bars = Store(tmp_path), make_bars()
    store.write(bars, source="test")
    path, record = store.path("AAPL"), store.record("AAPL")
    good = path.read_bytes()
    begin = good.index(b'{"calendar": "XNYS"')
    header = range(begin, good.index(b"}", begin) + 1)
    found = 0
    for at in header:
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        try:
            assert store.record("AAPL") == record, good[begin : at + 1]
            assert store.read("AAPL").same_as(bars), good[begin : at + 1]
        except DataError:
            found += 1
    assert found >= len(header) - len("sum"), "without the name of the sum it is a file from before there was one"


def test_a_ticker_that_is_not_there_is_answered_with_the_nearest_and_a_command(sample_store: Store) -> None:
    for act in (sample_store.read, sample_store.record, lambda name: sample_store.require([name])):
        with pytest.raises(
            UnknownNameError, match=r"Unknown ticker 'APPL'. Did you mean 'AAPL'\? .*forecast fetch APPL"
        ):
            act("APPL")


def test_an_empty_store_is_answered_with_a_command(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nix holds no candles: .*forecast fetch --source sample"):
        open_store(tmp_path / "nix")


def test_strange_things_in_the_folder_are_passed_over(sample_store: Store) -> None:
    (sample_store.root / "notes.txt").write_text("")
    (sample_store.root / "lower.parquet").write_text("")
    (sample_store.root / "%41APL.parquet").write_text("")
    (sample_store.root / "ZZ.parquet").mkdir()
    assert sample_store.tickers() == ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def test_a_folder_that_cannot_be_written_is_one_line_with_code_4(tmp_path: Path, make_bars: Make) -> None:
    (tmp_path / "file").write_text("precious")
    for root in (tmp_path / "file", tmp_path / "file" / "store", Path("/proc/nothing/here")):
        with pytest.raises(OutsideError, match=r"cannot be written") as caught:
            Store(root).write(make_bars(), source="test")
        assert caught.value.exit_code == 4
    assert (tmp_path / "file").read_text() == "precious"


def test_two_writers_and_a_reader_get_on(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path / "store")
    store.write(make_bars(days=2000, seed=1), source="test")
    whole = [make_bars(days=2000 + more, seed=seed) for seed in (1, 2) for more in (0, 1)]
    seen: set[int] = set()
    try:
        writers = [writer(store.root, seed, 1_000_000) for seed in (1, 2)]
        while len(seen) < 3 and all(one.poll() is None for one in writers):
            held = store.read("AAPL")
            seen.add([held.same_as(one) for one in whole].index(True))
    finally:
        (tmp_path / "store-stop").touch()
    assert [one.wait() for one in writers] == [0, 0]
    assert len(seen) == 3, "what both wrote was read, each whole"
    assert [path.name for path in store.root.iterdir() if path.name != ".locks"] == ["AAPL.parquet"]


def test_a_writer_killed_at_any_moment_leaves_old_or_new_and_no_lock(tmp_path: Path, make_bars: Make) -> None:
    store = Store(tmp_path / "store")
    whole = [make_bars(days=2000 + more, seed=3) for more in (0, 1)]
    store.write(whole[0], source="test")
    for pause in np.linspace(0.005, 0.05, 4):
        process = writer(store.root, 3, 10_000)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert any(store.read("AAPL").same_as(one) for one in whole)
    (store.root / ".AAPL.parquet.killed.part").write_text("half")
    again = Store(store.root)  # the process after a killed one: it lists what was left only once
    assert again.write(make_bars(days=2010, seed=4), source="test").status == "updated"
    assert not list(store.root.glob(".AAPL*.part"))


def test_a_writer_waits_for_the_lock_of_another(tmp_path: Path, make_bars: Make) -> None:
    from filelock import FileLock

    store = Store(tmp_path / "store")
    store.write(make_bars(days=1999, seed=5), source="test")
    with FileLock(store.root / ".locks" / "AAPL.lock"):
        process = writer(store.root, 5, 1)
        time.sleep(0.3)
        assert process.poll() is None
        assert len(store.read("AAPL")) == 1999  # a reader does not wait
    assert process.wait() == 0
    assert len(store.read("AAPL")) == 2000
