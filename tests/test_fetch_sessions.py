"""A horizon counts the sessions of the ticker's own exchange, over weekends, Christmas and the turn of the year."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.data.calendars import next_sessions, sessions_between

CHRISTMAS = {
    "XNYS": "2024-12-23 2024-12-24 2024-12-26 2024-12-27 2024-12-30 2024-12-31 2025-01-02 2025-01-03",
    "XLON": "2024-12-23 2024-12-24 2024-12-27 2024-12-30 2024-12-31 2025-01-02 2025-01-03 2025-01-06",
    "XSHG": "2024-12-23 2024-12-24 2024-12-25 2024-12-26 2024-12-27 2024-12-30 2024-12-31 2025-01-02",
    "XTKS": "2024-12-23 2024-12-24 2024-12-25 2024-12-26 2024-12-27 2024-12-30 2025-01-06 2025-01-07",
    "24/5": "2024-12-23 2024-12-24 2024-12-25 2024-12-26 2024-12-27 2024-12-30 2024-12-31 2025-01-01",
    "24/7": "2024-12-21 2024-12-22 2024-12-23 2024-12-24 2024-12-25 2024-12-26 2024-12-27 2024-12-28",
}


@pytest.mark.parametrize("calendar", CHRISTMAS)
def test_a_horizon_over_christmas_has_the_exchange_s_sessions(calendar: str) -> None:
    steps = next_sessions(calendar, np.datetime64("2024-12-20"), 8)
    assert " ".join(map(str, steps)) == CHRISTMAS[calendar]


@pytest.mark.parametrize("calendar", ["XNYS", "XLON", "XSHG", "XTKS", "24/5"])
def test_the_step_after_a_friday_is_a_monday(calendar: str) -> None:
    assert [str(day) for day in next_sessions(calendar, np.datetime64("2024-04-19"), 2)] == ["2024-04-22", "2024-04-23"]


def test_a_half_day_is_a_session() -> None:
    # New York closed at one o'clock on the day after Thanksgiving and on Christmas Eve, London at half past twelve.
    assert str(next_sessions("XNYS", np.datetime64("2024-11-27"), 1)[0]) == "2024-11-29"
    assert str(next_sessions("XLON", np.datetime64("2024-12-23"), 1)[0]) == "2024-12-24"


def test_the_long_holidays_of_shanghai_and_tokyo_are_skipped() -> None:
    assert str(next_sessions("XSHG", np.datetime64("2024-09-30"), 1)[0]) == "2024-10-08"
    assert str(next_sessions("XTKS", np.datetime64("2024-05-02"), 1)[0]) == "2024-05-07"


def test_past_the_holidays_announced_weekdays_are_assumed_but_not_new_year() -> None:
    steps = next_sessions("XSHG", np.datetime64("2026-12-30"), 3)
    assert [str(day) for day in steps] == ["2026-12-31", "2027-01-04", "2027-01-05"]


def test_sessions_between_excludes_both_ends() -> None:
    between = sessions_between("XNYS", np.datetime64("2001-09-10"), np.datetime64("2001-09-18"))
    assert [str(day) for day in between] == ["2001-09-17"]
    assert not len(sessions_between("XSHG", np.datetime64("2012-01-20"), np.datetime64("2012-01-30")))  # New Year there
    assert len(sessions_between("XNYS", np.datetime64("2001-09-10"), np.datetime64("2001-09-11"))) == 0
