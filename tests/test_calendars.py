from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import exchange_calendars
import numpy as np
import pytest

from forecaster.data import calendarfile, calendars, exchanges
from forecaster.data.bars import Bars
from forecaster.data.calendars import (
    check_calendar,
    following_sessions,
    is_over,
    next_opening,
    next_sessions,
    opens_at_last_close,
    sessions,
    sessions_a_year,
    sessions_between,
    timezone,
    week_name,
)
from forecaster.errors import UnknownNameError


def following(calendar: str, after: str, count: int) -> list[str]:
    return next_sessions(calendar, np.datetime64(after), count).astype(str).tolist()


@pytest.mark.parametrize(
    ("after", "sessions_"),
    [
        ("2013-03-01", ["2013-03-04", "2013-03-05"]),  # a weekend
        ("2024-12-24", ["2024-12-26", "2024-12-27"]),  # Christmas
        ("2024-03-28", ["2024-04-01", "2024-04-02"]),  # Good Friday
        ("2013-03-02", ["2013-03-04", "2013-03-05"]),  # from a Saturday
    ],
)
def test_new_york_rests_on_weekends_and_holidays(after: str, sessions_: list[str]) -> None:
    assert following("XNYS", after, 2) == sessions_


@pytest.mark.parametrize(
    ("calendar", "evening", "expected"),
    [
        ("XNYS", "2001-09-10", ["2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2001-09-17"]),  # attacks
        ("XNYS", "2012-10-26", ["2012-10-29", "2012-10-30", "2012-10-31"]),  # a hurricane
        ("XNYS", "2004-06-10", ["2004-06-11", "2004-06-14"]),  # a president's funeral
        ("XTSE", "2001-09-10", ["2001-09-11", "2001-09-12"]),
        ("XHKG", "2016-10-20", ["2016-10-21", "2016-10-24"]),  # a typhoon
        ("XTAI", "2016-09-26", ["2016-09-27", "2016-09-28"]),
        ("XTKS", "2020-09-30", ["2020-10-01", "2020-10-02"]),  # a failure of the exchange's computers
        ("XIST", "2023-02-07", ["2023-02-08", "2023-02-09"]),  # an earthquake
        ("XLON", "2022-09-16", ["2022-09-19", "2022-09-20"]),  # the Queen's funeral
    ],
)
def test_a_closure_that_nobody_foresaw_is_expected_to_be_a_session(
    calendar: str, evening: str, expected: list[str]
) -> None:
    assert following(calendar, evening, len(expected)) == expected
    (first,) = following_sessions(calendar, np.array([evening], "datetime64[D]"))
    assert str(first) == expected[0]
    day = np.datetime64(expected[0])
    assert len(sessions(calendar, day, day)) == 0  # what was held is another matter


@pytest.mark.parametrize(
    ("calendar", "evening", "next_one"),
    [
        ("XSHG", "2024-09-30", "2024-10-08"),  # holidays that the library lists one by one
        ("XHKG", "2024-02-09", "2024-02-14"),
        ("XKRX", "2024-02-08", "2024-02-13"),
        ("XTAI", "2024-02-05", "2024-02-15"),
        ("XIST", "2024-06-14", "2024-06-20"),
        ("XTKS", "2024-03-19", "2024-03-21"),
        ("XLON", "2012-06-01", "2012-06-06"),  # a jubilee, announced two years before
        ("XSES", "2024-02-09", "2024-02-13"),
        ("XNZE", "2024-06-27", "2024-07-01"),
    ],
)
def test_holidays_that_were_announced_are_known_the_evening_before(calendar: str, evening: str, next_one: str) -> None:
    assert following(calendar, evening, 1) == [next_one]
    assert str(following_sessions(calendar, np.array([evening], "datetime64[D]"))[0]) == next_one


def test_a_closure_that_lies_ahead_or_was_this_week_is_known_to_a_forecast_of_today() -> None:
    evening = np.datetime64("2025-01-08")  # the exchange mourned a president on the 9th

    def expected(today: str) -> str:
        return str(next_sessions("XNYS", evening, 1, np.datetime64(today))[0])

    assert [expected(today) for today in ("2025-01-08", "2025-01-09", "2025-01-12")] == ["2025-01-10"] * 3
    assert expected("2025-02-01") == "2025-01-09"


def test_each_closure_that_is_listed_is_one_of_the_library() -> None:
    """A date mistyped in closures.txt, or dropped by the library, would count for nothing."""
    named = {name: dates for name, dates in exchanges._named_surprises().items() if len(dates)}
    assert len(named) > 15
    for name, dates in named.items():
        known = calendars._known(name, np.datetime64("1970-01-01"), np.datetime64("2025-12-31"))
        if known is not None:
            assert np.array_equal(known.surprises, np.sort(dates)), name


def test_a_week_is_a_calendar_of_its_own() -> None:
    assert following("Sun-Thu", "2024-03-06", 4) == ["2024-03-07", "2024-03-10", "2024-03-11", "2024-03-12"]
    assert following("Sat-Wed", "2024-03-06", 2) == ["2024-03-09", "2024-03-10"]
    assert following("Mon-Sun", "2024-03-06", 3) == ["2024-03-07", "2024-03-08", "2024-03-09"]
    assert check_calendar("sun-thu") == "Sun-Thu"
    assert timezone("Sun-Thu") == "UTC"
    assert sessions_a_year("Sun-Thu") == 252
    assert str(following_sessions("Sun-Thu", np.array(["2024-03-07"], "datetime64[D]"))[0]) == "2024-03-10"
    masks = {"1111001": "Sun-Thu", "1111111": "24/7", "1111100": "24/5", "1111101": "Sun-Fri", "1010100": None}
    assert {mask: week_name(mask) for mask in masks} == masks


def test_only_where_trading_never_stops_does_a_day_open_at_the_last_close() -> None:
    assert opens_at_last_close("24/7")
    assert not any(opens_at_last_close(name) for name in ("XNYS", "24/5", "XSAU", "Sun-Thu", "CMES"))


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2024-11-27T06:00", "2024-11-27"),  # one o'clock at night in New York
        ("2024-11-27T14:29", "2024-11-27"),
        ("2024-11-27T14:30", "2024-11-29"),  # half past nine; the next day is Thanksgiving
        ("2024-11-28T03:00", "2024-11-29"),  # still the 27th there
        ("2024-11-30T12:00", "2024-12-02"),
    ],
)
def test_the_session_of_today_is_the_next_one_until_it_has_opened(moment: str, opens: str) -> None:
    assert str(next_opening("XNYS", dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC))) == opens


@pytest.mark.parametrize(
    ("calendar", "day", "moment", "over"),
    [
        ("XNYS", "2024-11-27", "2024-11-27T20:59", False),
        ("XNYS", "2024-11-27", "2024-11-27T21:00", True),
        ("XNYS", "2024-11-29", "2024-11-29T18:00", True),  # a half day
        ("XNYS", "2024-11-27", "2024-11-28T03:00", True),
        ("XNYS", "2024-11-29", "2024-11-28T03:00", False),
        ("XNYS", "2024-11-28", "2024-11-28T15:00", True),  # Thanksgiving has no session that could be open
        ("24/7", "2024-11-28", "2024-11-28T23:59", False),
        ("24/7", "2024-11-28", "2024-11-29T00:00", True),
    ],
)
def test_a_session_is_over_at_its_close_and_of_plain_weekdays_at_midnight(
    calendar: str, day: str, moment: str, over: bool
) -> None:
    assert is_over(calendar, np.datetime64(day), dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)) is over


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
        for cached in (calendars.sessions, calendars.scheduled_sessions, calendars._cached, calendars._warn):
            cached.cache_clear()
        exchanges.computable.cache_clear()

    monkeypatch.setattr(calendarfile, "_folder", lambda: tmp_path / "sessions")
    forget()
    yield tmp_path / "sessions"
    forget()


def broken(name: str, **_: object) -> object:
    raise NotImplementedError("implemented by subclasses")


def test_of_a_calendar_that_the_library_cannot_compute_the_week_is_taken_and_said_once(
    forgotten: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    assert following("XLON", "2024-12-24", 2) == ["2024-12-25", "2024-12-26"]
    assert following("XLON", "2025-12-23", 1) == ["2025-12-24"]
    (said,) = caplog.messages
    assert said.endswith("cannot compute XLON: using its weekdays (Mon-Fri) without holidays.")
    assert timezone("XLON") == "Europe/London"
    assert following("XSAU", "2024-12-25", 3) == ["2024-12-26", "2024-12-29", "2024-12-30"]
    assert not forgotten.exists()


WEEKS = {
    "ASEX": ("Europe/Athens", "2024-12-20", ["2024-12-23", "2024-12-24", "2024-12-25"]),
    "XBEL": ("Europe/Belgrade", "2024-12-20", ["2024-12-23", "2024-12-24"]),
    "XBSE": ("Europe/Bucharest", "2024-12-20", ["2024-12-23", "2024-12-24"]),
    "XCYS": ("Asia/Nicosia", "2024-12-20", ["2024-12-23", "2024-12-24"]),
    "XTAE": ("Asia/Tel_Aviv", "2025-12-31", ["2026-01-04", "2026-01-05", "2026-01-06"]),  # the last Sunday
}
"""Calendars that exchange_calendars 4.13 cannot compute with pandas 3: time zone, a date, and weekdays after it."""


@pytest.mark.parametrize("name", WEEKS)
def test_each_calendar_that_some_pandas_cannot_compute_serves_with_its_own_week_and_zone(name: str) -> None:
    zone, after, days = WEEKS[name]
    assert timezone(name) == zone
    found = following(name, after, len(days))
    assert found == days or exchanges.computable(name)  # then it has holidays besides


def test_tel_aviv_keeps_its_old_week_until_january_2026_and_the_new_one_from_then_on(
    forgotten: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    assert following("XTAE", "2025-12-24", 3) == ["2025-12-25", "2025-12-28", "2025-12-29"]
    assert following("XTAE", "2026-01-08", 3) == ["2026-01-09", "2026-01-12", "2026-01-13"]
    both = sessions("XTAE", np.datetime64("2025-12-28"), np.datetime64("2026-01-11"))
    assert [str(day)[5:] for day in both] == [
        "12-28", "12-29", "12-30", "12-31", "01-04", "01-05", "01-06", "01-07", "01-08", "01-09",
    ]  # fmt: skip
    assert caplog.messages[0].endswith(
        "cannot compute XTAE: using its weekdays (Sun-Thu and then Mon-Fri) without holidays."
    )


def test_a_calendar_that_cannot_be_computed_is_never_offered(forgotten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = exchange_calendars.get_calendar

    def some(name: str, **span: object) -> object:
        return broken(name) if exchange_calendars.resolve_alias(name) in WEEKS else ask(name, **span)

    monkeypatch.setattr(exchange_calendars, "get_calendar", some)
    for wrong in ("ASEXX", "XTAEE", "XBSEE", "XCYSS", "XBELL", "nix"):
        with pytest.raises(UnknownNameError) as raised:
            check_calendar(wrong)
        assert not [name for name in WEEKS if f"'{name}'" in str(raised.value) or f" {name}," in str(raised.value)]
        assert str(raised.value).endswith("Weekdays such as Sun-Thu also work.")
    assert check_calendar("XTAE") == "XTAE"  # who names it knows what it is


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
    for cached in (calendars.sessions, calendars.scheduled_sessions, calendars._cached):
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
    for cached in (calendars.sessions, calendars.scheduled_sessions, calendars._cached):
        cached.cache_clear()
    assert following("XLON", "2024-12-24", 3) == computed
    assert file.read_text() == whole


DAMAGED_VALUES = {
    "weekmask": ["", "9", "0000000", None],
    "zone": ["../../etc/passwd", "\x1b[31m", 5, "x" * 9999],
    "sessions": [[], [1, 1], [3, 2], [10**18], ["x"], [float("nan")], None],
    "first": ["NaT", "now", 7, "2999-01-01"],
    "surprises": [["x"], [-(2**63)]],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in DAMAGED_VALUES.items() for value in values])
def test_a_damaged_value_of_a_calendar_file_is_not_believed(forgotten: Path, key: str, value: object) -> None:
    computed = following("XLON", "2024-12-24", 3)
    (file,) = forgotten.iterdir()
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    for cached in (calendars.sessions, calendars.scheduled_sessions, calendars._cached):
        cached.cache_clear()
    assert following("XLON", "2024-12-24", 3) == computed


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


def test_an_unknown_calendar_is_answered_without_computing_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computing a hundred of them for one message took ten seconds."""
    asked = []
    monkeypatch.setattr(exchanges, "computable", lambda name: asked.append(name) or name != "XNYS")
    with pytest.raises(UnknownNameError, match="Did you mean 'NYMEX'"):
        check_calendar("XNYX")
    with pytest.raises(UnknownNameError, match=r"There is 24/5, 24/7, .* and \d+ more"):
        check_calendar("")
    assert len(asked) < 10
