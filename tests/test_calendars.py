from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import exchange_calendars
import numpy as np
import pytest

from forecaster.data import calendarfile, calendars
from forecaster.data.bars import Bars
from forecaster.data.calendars import (
    check_calendar,
    following_sessions,
    next_sessions,
    sessions,
    sessions_between,
    timezone,
)
from forecaster.errors import InputError, UnknownNameError


def following(calendar: str, after: str, count: int) -> list[str]:
    return next_sessions(calendar, np.datetime64(after), count).astype(str).tolist()


@pytest.mark.parametrize(
    ("after", "sessions_"),
    [
        ("2013-03-01", ["2013-03-04", "2013-03-05"]),  # a weekend
        ("2024-12-24", ["2024-12-26", "2024-12-27"]),  # Christmas
        ("2024-03-28", ["2024-04-01", "2024-04-02"]),  # Good Friday
        ("2001-09-10", ["2001-09-17", "2001-09-18"]),  # a closure that no rule foresees
        ("2013-03-02", ["2013-03-04", "2013-03-05"]),  # from a Saturday
    ],
)
def test_new_york_rests_on_weekends_and_holidays(after: str, sessions_: list[str]) -> None:
    assert following("XNYS", after, 2) == sessions_


def test_crypto_trades_every_day() -> None:
    assert following("24/7", "2024-12-23", 4) == ["2024-12-24", "2024-12-25", "2024-12-26", "2024-12-27"]


def test_exchanges_differ_in_their_holidays() -> None:
    assert following("XFRA", "2024-04-30", 1) == ["2024-05-02"]
    assert following("XNYS", "2024-04-30", 1) == ["2024-05-01"]
    assert following("XSAU", "2024-01-04", 2) == ["2024-01-07", "2024-01-08"]  # Sunday to Thursday


def test_past_the_announced_holidays_weekdays_are_assumed() -> None:
    assert following("XHKG", "2049-12-30", 3) == ["2049-12-31", "2050-01-03", "2050-01-04"]
    assert following("XHKG", "2060-12-23", 3) == ["2060-12-24", "2060-12-27", "2060-12-28"]


def test_where_holidays_are_not_known_new_year_is_assumed_to_be_one_but_not_for_crypto() -> None:
    assert following("XHKG", "2060-12-31", 2) == ["2061-01-03", "2061-01-04"]
    assert following("XHKG", "2064-12-31", 1) == ["2065-01-02"]
    assert following("24/7", "2064-12-31", 1) == ["2065-01-01"]


def test_the_session_after_each_date_is_that_of_the_date_alone() -> None:
    dates = np.array(["2012-12-31", "2013-02-28", "2013-03-01", "2049-12-31"], "datetime64[D]")
    for calendar in ("XNYS", "XHKG", "24/7"):
        found = following_sessions(calendar, dates)
        assert found.tolist() == [next_sessions(calendar, date, 1)[0].item() for date in dates]
        assert found[1] == following_sessions(calendar, dates[1:2])[0]
    assert len(following_sessions("XNYS", dates[:0])) == 0


def test_sessions_between_leave_both_dates_out() -> None:
    day = np.datetime64
    assert sessions_between("XNYS", day("2013-02-28"), day("2013-03-05")).tolist() == [
        day("2013-03-01").item(),
        day("2013-03-04").item(),
    ]
    assert len(sessions_between("XNYS", day("2013-03-01"), day("2013-03-04"))) == 0
    assert len(sessions_between("XNYS", day("2013-03-01"), day("2013-03-01"))) == 0


def test_before_the_first_known_holiday_weekdays_are_assumed() -> None:
    assert following("XHKG", "1959-12-29", 4)[:2] == ["1959-12-30", "1959-12-31"]
    assert following("XKRX", "1900-01-05", 1) == ["1900-01-08"]


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Nothing of any calendar is written down yet; the folder where it will be."""

    def forget() -> None:
        calendars.sessions.cache_clear()
        calendars._written.cache_clear()
        calendars._warn.cache_clear()

    monkeypatch.setattr(calendarfile, "_folder", lambda: tmp_path / "sessions")
    forget()
    yield tmp_path / "sessions"
    forget()


def broken(name: str, **_: object) -> object:
    raise NotImplementedError("implemented by subclasses")


def test_a_calendar_that_the_library_cannot_compute_falls_back_to_weekdays_and_says_so_once(
    forgotten: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    assert following("XLON", "2024-12-24", 2) == ["2024-12-25", "2024-12-26"]
    assert following("XLON", "2025-12-23", 1) == ["2025-12-24"]
    (said,) = caplog.messages
    assert said.endswith("cannot compute XLON: Mondays to Fridays are taken for its sessions.")
    with pytest.raises(InputError, match=r"cannot compute XLON: name another calendar"):
        timezone("XLON")
    assert not forgotten.exists()


def test_dates_that_the_library_refuses_are_our_fault_and_not_hidden_behind_weekdays(
    forgotten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = exchange_calendars.get_calendar

    def short(name: str, start: str, end: str) -> object:
        if start < "2000":
            raise ValueError(f"{name} cannot be evaluated from {start}")
        return ask(name, start=start, end=end)

    monkeypatch.setattr(exchange_calendars, "get_calendar", short)
    with pytest.raises(ValueError, match="cannot be evaluated from"):
        following("XLON", "2024-12-24", 2)
    assert not forgotten.exists()


@pytest.mark.parametrize("name", ["AIXK", "XBOM", "XSAU", "XSES", "XSHG", "XTKS", "24/7"])
def test_no_dates_are_asked_of_a_calendar_that_it_does_not_reach(
    name: str, forgotten: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The library knows these from some year on, or for ever; before and after, weekdays of theirs are assumed."""
    found = calendars.sessions(name, np.datetime64("1950-01-01"), np.datetime64("2040-12-31"))
    assert 60 * 250 < len(found) <= 91 * 366
    assert caplog.messages == []
    assert len(list(forgotten.iterdir())) == 1


def test_a_calendar_is_computed_once_and_then_read(forgotten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = following("XLON", "2024-12-24", 3)
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    for cached in (calendars.sessions, calendars._written):
        cached.cache_clear()
    assert following("XLON", "2024-12-24", 3) == computed == ["2024-12-27", "2024-12-30", "2024-12-31"]
    assert timezone("XLON") == "Europe/London"
    assert len(list(forgotten.iterdir())) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"name": "XLON"}', '{"name": "XPAR", "sessions": []}'])
def test_a_damaged_calendar_file_is_made_again(forgotten: Path, damage: str) -> None:
    computed = following("XLON", "2024-12-24", 3)
    (file,) = forgotten.iterdir()
    whole = file.read_text()
    file.write_text(damage)
    for cached in (calendars.sessions, calendars._written):
        cached.cache_clear()
    assert following("XLON", "2024-12-24", 3) == computed
    assert file.read_text() == whole


def test_a_calendar_grows_to_what_was_asked_of_it_on_either_side(forgotten: Path) -> None:
    early, late = np.datetime64("1930-01-01"), np.datetime64("2040-01-01")
    sessions("XNYS", early, early + 30)
    sessions("XNYS", late, late + 30)
    known = calendarfile.read_calendar("XNYS")
    assert known is not None
    assert known.first <= early
    assert known.covers(early, min(late, known.latest))
    assert known.sessions[0] < np.datetime64("1930-01-10")


def test_a_cache_folder_that_cannot_be_written_costs_only_time(forgotten: Path) -> None:
    forgotten.write_text("a file where the folder should be")
    assert following("XLON", "2024-12-24", 1) == ["2024-12-27"]


def test_many_sessions_at_once_are_ascending_and_as_many_as_asked() -> None:
    found = next_sessions("XNYS", np.datetime64("2024-01-02"), 250)
    assert len(found) == 250
    assert np.all(np.diff(found) > np.timedelta64(0, "D"))
    assert str(found[-1]) == "2024-12-30"


def test_the_calendar_agrees_with_real_candles(real_bars: dict[str, Bars]) -> None:
    dates = real_bars["IBM"].dates
    held = sessions("XNYS", dates[0], dates[-1])
    assert set(dates) <= set(held)
    assert len(held) - len(dates) < 5


def test_zones_are_those_of_the_exchange() -> None:
    assert timezone("XNYS") == "America/New_York"
    assert timezone("XTKS") == "Asia/Tokyo"
    assert timezone("24/7") == "UTC"


def test_an_unknown_calendar_is_answered_with_the_nearest() -> None:
    assert check_calendar("NYSE") == "NYSE"
    for act in (check_calendar, timezone, lambda name: next_sessions(name, np.datetime64("2024-01-01"), 1)):
        with pytest.raises(UnknownNameError, match=r"Unknown calendar 'XNYX'. Did you mean 'XNYS'?"):
            act("XNYX")
