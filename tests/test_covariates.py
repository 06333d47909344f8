"""Covariates: what is known of another ticker at each close, as columns; nothing later reaches them by a single bit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from forecaster.axes import Float
from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.closings import newest_known
from forecaster.data.panel import Panel
from forecaster.features import GROUPS
from forecaster.features.compute import Features, compute_features
from forecaster.features.covariates import COLUMNS, Covariates
from forecaster.features.dataset import Dataset
from forecaster.features.tail import tail_dataset
from tests.studio import CUTS, MISSED, RESUMED, bars, futures, on_days
from tests.test_candles import logs_of

DAYS = (np.datetime64("2010-01-04"), np.datetime64("2011-12-30"))


def of_calendar(ticker: str, calendar: str, seed: int) -> Bars:
    """A ticker with a candle on every session of two years."""
    days = sessions(calendar, *DAYS)
    return replace(on_days(bars(ticker, len(days), seed), days), calendar=calendar)


def without(one: Bars, start: str, end: str) -> Bars:
    """A ticker without the candles from a day up to before another."""
    hole = (one.dates >= np.datetime64(start)) & (one.dates < np.datetime64(end))
    return on_days(one, one.dates[~hole])


NEW_YORK = without(of_calendar("^HOLES", "XNYS", 11), "2010-09-01", "2011-02-01")
TOKYO, TORONTO, COIN, GULF = (
    of_calendar(ticker, calendar, 12 + place)
    for place, (ticker, calendar) in enumerate(
        {"^N225": "XTKS", "^TSX": "XTSE", "BTC-USD": "24/7", "^GULF": "Sun-Thu"}.items()
    )
)
OUTSIDE = (NEW_YORK, TOKYO, TORONTO, COIN, GULF)


@pytest.fixture
def of(panel_with_holes: Panel) -> Panel:
    return replace(panel_with_holes, covariates=OUTSIDE)


def columns_of(features: Features, ticker: str) -> Float[np.ndarray, "row column"]:
    return features.values[:, [features.names.index(f"covariates.{ticker}.{column}") for column in COLUMNS]]


@pytest.mark.parametrize(
    ("calendar", "other", "day", "known"),
    [
        ("XNYS", "XNYS", "2010-11-23", "2010-11-23"),  # the same close
        ("XTKS", "XNYS", "2010-11-24", "2010-11-24"),  # Tokyo closed 15 hours before
        ("XTKS", "XNYS", "2010-11-23", "2010-11-22"),  # a holiday of Tokyo
        ("XNYS", "XTKS", "2010-11-24", "2010-11-23"),  # New York opens after Tokyo has closed
        ("XNYS", "XTKS", "2010-11-26", "2010-11-24"),  # and on Thanksgiving it did not
        ("XTSE", "XNYS", "2010-11-24", "2010-11-24"),  # both close at 16:00
        ("XTSE", "XNYS", "2010-11-26", "2010-11-25"),  # New York's short day, of which Toronto knows nothing
        ("XNYS", "XTSE", "2010-11-26", "2010-11-26"),
        ("24/7", "XNYS", "2010-11-24", "2010-11-23"),  # a coin's day ends at midnight UTC
        ("XNYS", "24/7", "2010-11-24", "2010-11-24"),
        ("XNYS", "24/7", "2010-11-27", "2010-11-26"),  # a Saturday
        ("Sun-Thu", "XNYS", "2010-11-24", "2010-11-23"),  # its hours are unknown
        ("Sun-Thu", "Sun-Thu", "2010-11-24", "2010-11-24"),
        ("XNYS", "Sun-Thu", "2010-11-24", "2010-11-22"),  # unknown too: nothing of the day before for sure
        ("XNYS", "XNYS", "2009-12-31", None),  # before its first candle
    ],
)
def test_a_market_that_closes_later_counts_with_the_day_before(
    calendar: str, other: str, day: str, known: str | None
) -> None:
    dates = sessions(calendar, *DAYS)
    (place,) = newest_known(dates, calendar, np.array([day], "datetime64[D]"), other)
    assert (str(dates[place]) if place >= 0 else None) == known


@pytest.mark.parametrize("one", OUTSIDE, ids=lambda one: one.ticker)
@pytest.mark.parametrize("ticker", ["WHOLE", "TOKYO"])
def test_the_columns_are_those_of_the_newest_candle_known(of: Panel, ticker: str, one: Bars) -> None:
    calendar = of.calendars[of.tickers.index(ticker)]
    own = compute_features(Panel.of([one]), ["vol"]).values[:, :2]  # log_scale and shock
    rows = of.rows(ticker)
    places = newest_known(one.dates, one.calendar, of.sessions[rows], calendar)
    found = columns_of(compute_features(of, ["base"]), one.ticker)[rows, :2]
    age = of.sessions[rows] - one.dates[np.maximum(places, 0)]
    counts = (places >= 20) & (age <= np.timedelta64(14, "D"))
    assert counts.sum() > 300
    assert np.array_equal(found[counts], own[places[counts]])
    assert not found[~counts].any()


def test_moves_are_in_its_own_volatility_and_levels_relative_to_its_own_mean() -> None:
    logs = logs_of(TOKYO)[:, 3]
    found = columns_of(compute_features(Panel.of([TOKYO], [TOKYO]), ["base"]), "^N225")
    scale = compute_features(Panel.of([TOKYO]), ["base"]).scale
    for row in (20, 100, 400):
        assert found[row, 2] == pytest.approx((logs[row] - logs[row - 1]) / scale[row], abs=1e-5)
        for column, half_life in ((3, 22), (4, 252)):
            weights = 0.5 ** ((row - np.arange(1, row + 1)) / half_life)
            mean = math.fsum(weights * logs[1 : row + 1]) / weights.sum()
            assert found[row, column] == pytest.approx(logs[row] - mean, abs=1e-5)
    assert not found[:20].any()


def test_a_candle_counts_for_two_weeks_and_no_longer(of: Panel) -> None:
    rows = of.rows("WHOLE")
    found, days = columns_of(compute_features(of, ["base"]), "^HOLES")[rows], of.sessions[rows]
    empty = ~found.any(axis=1)
    assert str(days[empty & (days > np.datetime64("2010-03-01"))][0]) == "2010-09-15"  # its last is of 2010-08-31
    assert str(days[empty][-1]) == "2011-01-31"
    held = (days >= np.datetime64("2010-08-31")) & (days <= np.datetime64("2010-09-14"))
    assert np.unique(found[held], axis=0).shape == (1, len(COLUMNS))


@pytest.mark.parametrize("day", CUTS, ids=str)
def test_candles_after_a_day_do_not_reach_its_columns_by_a_single_bit(of: Panel, day: np.datetime64) -> None:
    later, whole = of.sessions > day, compute_features(of, ["base"])
    for how, future in futures(of, day).items():
        if how == "deleted":
            assert all(one.dates.max() <= day for one in future.covariates)
        other, same = compute_features(future, ["base"]), future.sessions <= day
        assert other.names == whole.names
        assert np.array_equal(whole.values[~later], other.values[same])
        if how == "changed":
            for one in OUTSIDE:
                assert not np.array_equal(columns_of(whole, one.ticker)[later], columns_of(other, one.ticker)[later])


@pytest.mark.parametrize("day", CUTS, ids=str)
@pytest.mark.parametrize(
    ("one", "ticker", "closes_later"),
    [(TOKYO, "WHOLE", False), (NEW_YORK, "TOKYO", True), (COIN, "WHOLE", True), (COIN, "TOKYO", True)],
    ids=str,
)
def test_what_closes_later_on_the_same_date_does_not_reach_it(
    of: Panel, one: Bars, ticker: str, closes_later: bool, day: np.datetime64
) -> None:
    """Days are no order among exchanges: New York's candle of a date is later than Tokyo's."""
    (altered,) = futures(replace(of, covariates=(one,)), day - 1)["changed"].covariates
    plain, other = (compute_features(replace(of, covariates=(c,)), ["base"]) for c in (one, altered))
    rows = of.rows(ticker)
    upto = of.sessions[rows] <= day
    same = np.array_equal(columns_of(plain, one.ticker)[rows][upto], columns_of(other, one.ticker)[rows][upto])
    there = day in of.sessions[rows] and day in one.dates
    assert same == (closes_later or not there)


@pytest.mark.parametrize("groups", [["base"], ["vol", "earnings"], list(GROUPS.names())], ids=len)
def test_the_last_candles_have_the_columns_of_the_whole_history(of: Panel, groups: list[str]) -> None:
    valid = of.lengths - np.array([50, 20, 1, 200])
    tail, whole = tail_dataset(of, groups, (1,), valid), compute_features(of, groups)
    kept = of.rows_since(of.lengths - tail.panel.lengths)
    for one in OUTSIDE:
        assert np.array_equal(columns_of(tail.features, one.ticker), columns_of(whole, one.ticker)[kept])


def test_columns_are_finite_clipped_and_never_always_the_same(of: Panel) -> None:
    wild = replace(
        COIN,
        **{
            name: getattr(COIN, name) * np.where(np.arange(len(COIN)) > 90, 5e4, 1.0)
            for name in ("open", "high", "low", "close", "adj_close")
        },
    )
    features = compute_features(replace(of, covariates=(*OUTSIDE[:3], wild)), ["base"])
    assert features.values.dtype == np.float32
    assert np.abs(features.values).max() == 8
    assert len(set(features.names)) == len(features.names) == 4 + 4 * len(COLUMNS)
    assert np.all(features.values.std(axis=0) > 0)


def test_covariates_stand_behind_the_groups_and_change_none_of_them(of: Panel) -> None:
    plain = compute_features(replace(of, covariates=()), ["vol", "market"])
    features = compute_features(of, ["vol", "market"])
    assert features.names == (*plain.names, *Covariates(OUTSIDE).names)
    assert np.array_equal(features.values[:, : len(plain.names)], plain.values)


def test_covariates_are_part_of_the_fingerprint_and_later_candles_of_the_past_are_not(of: Panel) -> None:
    plain = replace(of, covariates=())
    assert len({plain.fingerprint, of.fingerprint, replace(of, covariates=OUTSIDE[:2]).fingerprint}) == 3
    assert futures(of, RESUMED)["changed"].until(RESUMED).fingerprint == of.until(RESUMED).fingerprint
    (other,) = futures(replace(plain, covariates=(TOKYO,)), RESUMED)["changed"].covariates
    assert replace(plain, covariates=(other,)).fingerprint != replace(plain, covariates=(TOKYO,)).fingerprint
    longer = replace(of, covariates=tuple(one.between(end=RESUMED) for one in OUTSIDE))
    assert longer.fingerprint != of.fingerprint
    assert longer.until(MISSED).fingerprint != of.until(MISSED).fingerprint
    assert longer.until(RESUMED).fingerprint == of.until(RESUMED).fingerprint


def test_a_covariate_that_begins_later_is_0_until_then(of: Panel) -> None:
    early = of.until(np.datetime64("2010-03-01"))
    young = replace(early, covariates=(TOKYO.between(np.datetime64("2010-06-01")).between(end=DAYS[0]),))
    assert not columns_of(compute_features(young, ["base"]), "^N225").any()
    assert Dataset(young, compute_features(young, ["base"]), (1,)).panel.covariates
