from __future__ import annotations

import numpy as np
import pytest

from forecaster.config.schema import SplitConfig
from forecaster.data.splits import Period, make_split, span_before
from forecaster.errors import InputError

FIRST, LAST = np.datetime64("2000-03-01"), np.datetime64("2013-03-01")


def ends(validation: str, test: str, last: str = "2013-03-01") -> list[str]:
    split = make_split(SplitConfig(validation=validation, test=test), FIRST, np.datetime64(last))
    return [str(split.train_end), str(split.validation_end), str(split.test_end)]


def test_spans_are_counted_back_from_the_last_date() -> None:
    assert ends("2y", "2y") == ["2009-03-01", "2011-03-01", "2013-03-01"]
    assert ends("18m", "3m") == ["2011-06-01", "2012-12-01", "2013-03-01"]


def test_a_span_from_a_leap_day_ends_on_the_last_of_february() -> None:
    assert ends("1y", "1y", "2012-02-29") == ["2010-02-28", "2011-02-28", "2012-02-29"]
    assert ends("12m", "4y", "2012-02-29") == ["2007-02-28", "2008-02-29", "2012-02-29"]


def test_a_span_from_the_end_of_a_long_month_stays_in_the_month() -> None:
    assert ends("1m", "1m", "2012-05-31") == ["2012-03-30", "2012-04-30", "2012-05-31"]


def test_a_span_over_new_year_is_counted_in_months() -> None:
    assert ends("1m", "3m", "2012-01-15") == ["2011-09-15", "2011-10-15", "2012-01-15"]


def test_dates_are_taken_as_they_are() -> None:
    config = SplitConfig.model_validate(
        {"train_end": _date("2008-12-31"), "validation_end": _date("2010-12-31"), "test_end": _date("2012-12-31")}
    )
    split = make_split(config, FIRST, LAST)
    assert str(split.train) == "to 2008-12-31"
    assert str(split.validation) == "after 2008-12-31 to 2010-12-31"
    assert str(split.test) == "after 2010-12-31 to 2012-12-31"
    assert split.fitted == Period(None, np.datetime64("2010-12-31"))


def test_periods_touch_and_never_overlap() -> None:
    split = make_split(SplitConfig(validation="2y", test="2y"), FIRST, LAST)
    assert split.train.start is None
    assert split.train.end == split.validation.start
    assert split.validation.end == split.test.start
    assert split.test.end == LAST
    days = np.arange(FIRST, LAST + 1)
    held = np.sum([period.holds(days) for period in (split.train, split.validation, split.test)], axis=0)
    assert np.all(held == 1)
    assert np.array_equal(split.fitted.holds(days), split.train.holds(days) | split.validation.holds(days))


def test_the_purge_drops_origins_whose_outcome_lies_beyond_the_border() -> None:
    period = make_split(SplitConfig(validation="2y", test="2y"), FIRST, LAST).validation
    days = np.busday_offset("2011-02-21", np.arange(9))  # the validation ends on 2011-03-01, the seventh
    origins, outcomes = days[:-5], days[5:]
    assert (period.holds(origins) & period.holds(outcomes)).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("validation", "test", "complaint"),
    [
        ("10y", "10y", "ends training on 1993-03-01, but the candles begin on 2000-03-01: shorten the spans"),
        ("13y", "1m", "but the candles begin on 2000-03-01"),
        ("11y", "2y", "ends training on 2000-03-01, but the candles begin on 2000-03-01"),
        ("1m", "3000y", "3000y reaches back before the year 1"),
        ("1m", "2013y", "2013y reaches back before the year 1"),
        ("1m", "2012y", "ends training on 0001-02-01, but the candles begin on 2000-03-01"),
    ],
)
def test_spans_longer_than_the_history_are_refused(validation: str, test: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        ends(validation, test)
    assert complaint in str(caught.value)


def test_a_span_before_a_date_ends_on_the_same_day_of_the_month() -> None:
    assert str(span_before(LAST, "5y")) == "2008-03-01"
    assert str(span_before(LAST, "18m")) == "2011-09-01"


@pytest.mark.parametrize("span", ["5", "y", "5 y", "5w", "-5y", "0y", "5y1m", ""])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(InputError, match="is not a span: expected one such as 5y or 18m"):
        span_before(LAST, span)


def test_a_test_that_begins_after_the_last_candle_is_refused() -> None:
    config = SplitConfig.model_validate(
        {"train_end": _date("2010-12-31"), "validation_end": _date("2013-03-01"), "test_end": _date("2014-12-31")}
    )
    with pytest.raises(InputError, match=r"begins the test after 2013-03-01, but the candles end on 2013-03-01"):
        make_split(config, FIRST, LAST)


def _date(text: str) -> object:
    return np.datetime64(text).item()
