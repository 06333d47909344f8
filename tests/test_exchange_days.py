"""Stamps become days of the exchange; several candles a day are noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.data.calendars import sessions
from forecaster.data.sources import SOURCES, Delivery, Order, SourceOptions
from forecaster.data.store import Store
from forecaster.errors import DataError, UnknownNameError
from tests.conftest import Run

Read = Callable[..., Delivery]
SPAN = ("2023-02-01", "2023-08-14")
"""Both sides of the changes to and from summer time, in Berlin, New York and Sydney."""


def days(calendar: str, span: tuple[str, str] = SPAN) -> np.ndarray:
    return sessions(calendar, *(np.datetime64(day) for day in span))


def frame(stamps: pd.DatetimeIndex | np.ndarray | list[str], name: str = "Date") -> pd.DataFrame:
    count = len(stamps)
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, count)))
    columns = {"Open": close, "High": close * 1.01, "Low": close * 0.99, "Close": close, "Volume": np.full(count, 10.0)}
    return pd.DataFrame({name: stamps} | columns)


def local(calendar: str, zone: str, clock: str = "00:00", span: tuple[str, str] = SPAN) -> pd.DatetimeIndex:
    """Each session at an hour of the exchange's own clock."""
    return (pd.DatetimeIndex(days(calendar, span)) + pd.Timedelta(f"{clock}:00")).tz_localize(zone)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def run(table: pd.DataFrame, name: str = "X.csv", **options: object) -> Delivery:
        path = tmp_path / name
        if name.endswith(".csv"):
            table.to_csv(path, index=False)
        elif name.endswith(".feather"):
            table.to_feather(path)
        else:
            table.to_parquet(path)
        (found,) = SOURCES["file"](SourceOptions(path=path, **options)).deliver(Order((), lambda _: None))  # type: ignore[arg-type]
        return found

    return run


def dates(delivery: Delivery) -> list[str]:
    assert delivery.bars is not None, delivery.failure
    return delivery.bars.dates.astype(str).tolist()


@pytest.mark.parametrize("name", ["X.csv", "X.parquet", "X.feather"])
@pytest.mark.parametrize(
    ("calendar", "zone", "clock"),
    [
        ("XETR", "Europe/Berlin", "00:00"),
        ("XETR", "Europe/Berlin", "17:30"),
        ("XTKS", "Asia/Tokyo", "00:00"),
        ("XTKS", "Asia/Tokyo", "15:00"),
        ("XASX", "Australia/Sydney", "10:00"),
        ("XASX", "Australia/Sydney", "00:00"),
        ("XNZE", "Pacific/Auckland", "00:00"),
        ("XBOM", "Asia/Kolkata", "00:00"),
        ("XNYS", "America/New_York", "00:00"),
        ("XNYS", "America/New_York", "16:00"),
        ("XNYS", "America/New_York", "20:00"),
        ("BVMF", "America/Sao_Paulo", "00:00"),
        ("24/7", "UTC", "00:00"),
    ],
)
def test_an_instant_is_of_the_day_that_its_exchange_s_clock_showed(
    read: Read, calendar: str, zone: str, clock: str, name: str
) -> None:
    for stamps in (local(calendar, zone, clock).tz_convert("UTC"), local(calendar, zone, clock)):
        assert dates(read(frame(stamps), name, calendar=calendar)) == days(calendar).astype(str).tolist()


@pytest.mark.parametrize("calendar", ["XNYS", "XETR", "XTKS", "BVMF", "24/7", "XASX"])
def test_a_midnight_in_utc_that_labels_a_day_stays_that_day(read: Read, calendar: str) -> None:
    stamps = pd.DatetimeIndex(days(calendar)).tz_localize("UTC")
    for table in (
        frame(stamps),
        frame(stamps.strftime("%Y-%m-%dT%H:%M:%SZ")),
        frame(stamps.strftime("%Y-%m-%d 00:00:00 UTC")),
        frame((stamps.as_unit("s").asi8).astype(np.int64), "time"),
        frame((stamps.as_unit("ms").asi8).astype(np.int64), "timestamp"),
    ):
        assert dates(read(table, calendar=calendar)) == days(calendar).astype(str).tolist()


@pytest.mark.parametrize("span", [("2023-03-07", "2023-03-09"), ("2023-03-06", "2023-03-06")])
def test_a_few_candles_are_enough_to_tell_a_label_from_an_instant(read: Read, span: tuple[str, str]) -> None:
    labels = pd.DatetimeIndex(days("XNYS", span)).tz_localize("UTC")
    assert dates(read(frame(labels))) == days("XNYS", span).astype(str).tolist()
    instants = local("XETR", "Europe/Berlin", span=span).tz_convert("UTC")
    assert dates(read(frame(instants), calendar="XETR")) == days("XETR", span).astype(str).tolist()


def test_the_exchange_s_own_offset_stays_as_it_is_whatever_the_calendar(read: Read) -> None:
    own = local("XTKS", "Asia/Tokyo")
    for calendar in ("XTKS", "XNYS"):
        assert dates(read(frame(own), calendar=calendar)) == days("XTKS").astype(str).tolist()


def test_unix_seconds_of_an_opening_are_of_its_day(read: Read) -> None:
    for calendar, zone, clock in (("XNYS", "America/New_York", "09:30"), ("XASX", "Australia/Sydney", "10:00")):
        stamps = local(calendar, zone, clock)
        seconds = stamps.tz_convert("UTC").as_unit("s").asi8
        assert dates(read(frame(seconds, "time"), calendar=calendar)) == days(calendar).astype(str).tolist()


def test_an_evening_that_opens_a_session_is_of_the_next_day(read: Read) -> None:
    stamps = (pd.DatetimeIndex(days("CMES")) - pd.Timedelta("7h")).tz_localize("America/Chicago").tz_convert("UTC")
    assert dates(read(frame(stamps), calendar="CMES")) == days("CMES").astype(str).tolist()


def test_stamps_without_a_zone_are_the_exchange_s_own(read: Read) -> None:
    stamps = pd.DatetimeIndex(days("XNYS")) + pd.Timedelta("23:59:00")
    assert dates(read(frame(stamps))) == days("XNYS").astype(str).tolist()


def test_a_zone_and_a_calendar_that_do_not_fit_are_refused_with_the_remedy(read: Read) -> None:
    stamps = local("XTKS", "Asia/Tokyo").tz_convert("UTC")
    found = read(frame(stamps))
    assert isinstance(found.failure, DataError)
    text = str(found.failure)
    assert "days are not sessions of XNYS (America/New_York), first 2023-02-05, a Sunday" in text
    assert "set the calendar of their exchange with --calendar (24/7 if it never closes)" in text


def test_frames_are_read_as_files_are(tmp_path: Path) -> None:
    stamps = local("XTKS", "Asia/Tokyo").tz_convert("UTC")
    as_index = frame(stamps).set_index("Date")
    long = frame(stamps).assign(ticker="NINT")
    wide = pd.concat({"NINT": as_index}, axis=1)
    for given in ({"NINT": as_index}, {"NINT": as_index.rename_axis(None)}, long, wide):
        store = forecaster.store_frame(given, calendar="XTKS", currency="JPY")
        assert Store(store).read("NINT").dates.astype(str).tolist() == days("XTKS").astype(str).tolist()


def test_the_calendar_of_a_held_ticker_need_not_be_said_again(forecast: Run, tmp_path: Path) -> None:
    stamps = local("XETR", "Europe/Berlin").tz_convert("UTC")
    frame(stamps[:100]).to_csv(tmp_path / "SAPX.csv", index=False)
    first = forecast("fetch", "--source", "file", "--path", "SAPX.csv", "--calendar", "XETR", "--currency", "EUR")
    assert first.returncode == 0, first.stderr
    frame(stamps).iloc[90:].to_csv(tmp_path / "SAPX.csv", index=False)
    again = forecast("fetch", "--source", "file", "--path", "SAPX.csv")
    assert again.returncode == 0, again.stderr
    held = Store(tmp_path / "data" / "store").read("SAPX")
    assert (held.currency, held.calendar, held.timezone) == ("EUR", "XETR", "Europe/Berlin")
    assert held.dates.astype(str).tolist() == days("XETR").astype(str).tolist()


# Several candles a day.


def hours(zone: str = "", number: int = 7) -> pd.DatetimeIndex:
    opening = pd.DatetimeIndex(days("XNYS", ("2024-02-05", "2024-02-16"))) + pd.Timedelta("09:30:00")
    stamps = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in opening for hour in range(number)])
    return stamps.tz_localize("America/New_York").tz_convert(zone) if zone else stamps


@pytest.mark.parametrize("zone", ["", "UTC", "America/New_York", "Asia/Tokyo"])
def test_several_candles_a_day_are_refused_with_the_first_two(read: Read, zone: str) -> None:
    found = read(frame(hours(zone), "Datetime"))
    assert isinstance(found.failure, DataError)
    assert str(found.failure) == (
        "X: it has up to 7 candles per day (first 2024-02-05 09:30 and 10:30), expected daily candles: use "
        "--resample day to convert them."
    )


@pytest.mark.parametrize("zone", ["", "UTC", "America/New_York", "Asia/Tokyo"])
def test_they_become_daily_ones_by_the_exchange_s_clock(read: Read, zone: str) -> None:
    table = frame(hours(zone), "Datetime").iloc[::-1]
    found = read(table, resample="day")
    assert dates(found) == days("XNYS", ("2024-02-05", "2024-02-16")).astype(str).tolist()
    assert found.notes[0] == "70 candles resampled to 10 daily ones"
    bars, whole = found.bars, frame(hours(), "Datetime")
    assert bars is not None
    parts = whole.groupby(whole["Datetime"].dt.date)
    assert np.allclose(bars.open, parts["Open"].first(), rtol=1e-12)
    assert np.allclose(bars.high, parts["High"].max(), rtol=1e-12)
    assert np.allclose(bars.low, parts["Low"].min(), rtol=1e-12)
    assert np.allclose(bars.close, parts["Close"].last(), rtol=1e-12)
    assert np.array_equal(bars.volume, parts["Volume"].sum())


def test_a_date_and_a_time_of_its_own_make_a_stamp(read: Read) -> None:
    table = frame(hours().strftime("%Y.%m.%d"), "<DATE>")
    for clock in (hours().strftime("%H:%M"), hours().strftime("%H%M%S"), hours().strftime("%H%M").astype(int)):
        table.insert(1, "<TIME>", clock)
        assert "up to 7 candles per day (first 2024-02-05 09:30 and 10:30)" in str(read(table).failure)
        assert len(dates(read(table, resample="day"))) == 10
        del table["<TIME>"]


def test_a_last_day_with_few_candles_may_not_be_over(read: Read) -> None:
    found = read(frame(hours()).iloc[:-5], resample="day")
    assert found.notes[1] == "2024-02-16 has 2 of the usual 7 candles: it may be incomplete"


def test_intraday_candles_of_several_tickers_stay_apart(read: Read, tmp_path: Path) -> None:
    both = pd.concat([frame(hours()).assign(tic="AAA"), frame(hours()).assign(tic="BBB")])
    both.to_csv(tmp_path / "all.csv", index=False)
    source = SOURCES["file"](SourceOptions(path=tmp_path / "all.csv", resample="day"))
    found = list(source.deliver(Order((), lambda _: None)))
    assert [(one.ticker, len(dates(one))) for one in found] == [("AAA", 10), ("BBB", 10)]
    unknown = both.assign(Close=both["Close"] + (both["tic"] == "AAA") * 0.001).rename(columns={"tic": "Scrip"})
    assert "if Scrip has the tickers, add --column ticker=Scrip" in str(read(unknown, resample="day").failure)


def test_two_different_candles_of_one_moment_are_not_added_up(read: Read) -> None:
    table = frame(hours())
    twice = pd.concat([table, table.iloc[3:4].assign(Open=table["Close"] * 1.001)])
    assert "2024-02-05 12:30:00 appears twice with different values (open" in str(read(twice, resample="day").failure)
    assert len(dates(read(pd.concat([table, table.iloc[3:4]]), resample="day"))) == 10


def test_daily_candles_are_not_changed_by_resampling(read: Read) -> None:
    table = frame(pd.DatetimeIndex(days("XNYS")))
    one, other = read(table).bars, read(table, resample="day").bars
    assert one is not None
    assert other is not None
    assert one.same_as(other)


def test_no_other_frequency_is_made(read: Read) -> None:
    with pytest.raises(UnknownNameError, match="Unknown frequency 'week'"):
        read(frame(hours()), resample="week")


def test_frames_name_arguments_where_files_name_options() -> None:
    table = frame(hours())
    with pytest.raises(DataError, match=r'use resample="day" to convert them'):
        forecaster.store_frame({"X": table})
    store = forecaster.store_frame({"X": table}, resample="day")
    assert len(Store(store).read("X")) == 10
    with pytest.raises(DataError, match=r'set it with columns=\{"close": "NAME"\}'):
        forecaster.store_frame({"X": frame(pd.DatetimeIndex(days("XNYS"))).rename(columns={"Close": "Settle"})})
    two_ways = frame(["01/02/2013", "03/04/2013"])
    with pytest.raises(DataError, match=r'set date_format="%m/%d/%Y" or date_format="%d/%m/%Y"'):
        forecaster.store_frame({"X": two_ways})
    assert len(Store(forecaster.store_frame({"X": two_ways}, date_format="%d/%m/%Y")).read("X")) == 2


def test_a_date_beside_a_whole_stamp_hides_no_hours(read: Read) -> None:
    table = frame(hours("UTC"), "Timestamp")
    table.insert(0, "Date", hours().strftime("%Y-%m-%d"))
    assert "up to 7 candles per day (first 2024-02-05 09:30 and 10:30)" in str(read(table).failure)
    daily = frame(pd.DatetimeIndex(days("XNYS")).strftime("%Y-%m-%d"))
    daily["Timestamp"] = "not a time"
    assert dates(read(daily)) == days("XNYS").astype(str).tolist()
