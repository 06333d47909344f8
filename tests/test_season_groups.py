"""The groups that read other quarters, the calendar and the market, against slow ones from their definitions."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import exchange_calendars
import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import following_sessions, sessions
from forecaster.data.panel import Panel
from forecaster.features.compute import compute_features
from tests.studio import bars, panel
from tests.test_candles import logs_of, slow_scale, slow_variance

ROWS = 420
ONE = bars(rows=ROWS, seed=9)


@pytest.fixture(scope="module")
def following() -> list[dt.date]:
    """The session of the exchange after each row's date."""
    sessions = exchange_calendars.get_calendar("XNYS", start="2010-01-01", end="2012-12-31").sessions.date
    return [next(day for day in sessions if day > date) for date in ONE.dates.astype(object)]


def slow_shock() -> list[float]:
    """log(max(√v, .001)/s), 0 on the first row."""
    scale, variance = slow_scale(logs_of(ONE)), slow_variance(logs_of(ONE))
    return [0.0] + [math.log(max(math.sqrt(variance[row]), 1e-3) / scale[row]) for row in range(1, ROWS)]


def slow_usual(values: np.ndarray, half_life: float) -> list[float]:
    """EWMA from the second row on."""
    means = [math.nan]
    for row in range(1, len(values)):
        weights = 0.5 ** (np.arange(row - 1, -1, -1) / half_life)
        means.append(float((weights * values[1 : row + 1]).sum() / weights.sum()))
    return means


def quarters_ago(following: list[dt.date], row: int, quarters: int) -> int | None:
    """First row dated on or after the next session less 91 days a quarter; none before the ticker's start."""
    target = following[row] - dt.timedelta(days=91 * quarters)
    dates = list(ONE.dates.astype(object))
    return next(j for j, date in enumerate([*dates, dt.date.max]) if date >= target) if target >= dates[0] else None


def at(values: list[float], j: int | None, offset: int, row: int) -> float:
    return 0.0 if j is None or min(j + offset, row) < 0 else values[min(j + offset, row)]


def test_season_is_the_largest_shock_about_the_same_date_of_earlier_quarters(following: list[dt.date]) -> None:
    shock, found = slow_shock(), compute_features(Panel.of([ONE]), ["season"]).values
    for row in range(0, ROWS, 3):
        expected = []
        for quarters in (1, 2, 3, 4):
            j = quarters_ago(following, row, quarters)
            for offsets in ((-1, 0, 1), range(6)):
                expected.append(np.clip(max(at(shock, j, offset, row) for offset in offsets), -2, 3))
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_earnings_are_shocks_in_volatility_and_volume_and_the_days_since(following: list[dt.date]) -> None:
    shock, logs = slow_shock(), np.log(np.maximum(ONE.volume, 1.0))
    usual = slow_usual(logs, 20)
    event = [0.0]
    for row in range(1, ROWS):
        louder = 0.0 if row == 1 else float(np.clip(logs[row] - usual[row - 1], -1, 2))
        event.append(float(np.clip(0.7 * shock[row] + louder, -1, 3)))
    assert max(event) > 1.5, "the candles of this test hold an event"
    found, age = compute_features(Panel.of([ONE]), ["earnings"]).values, 250
    for row in range(ROWS):
        age = 0 if event[row] > 1.5 else min(age + 1, 250)
        expected = [
            at(event, quarters_ago(following, row, quarters), offset, row)
            for quarters in (1, 2, 3, 4, 8, 12)
            for offset in range(-3, 8)
        ]
        expected += [math.exp(-age / 5), math.exp(-age / 20), float(50 < age < 70), float(age < 40)]
        if row % 3 == 0:
            np.testing.assert_allclose(found[row], expected, atol=1e-5)


def with_one_event(rows: int, row: int) -> tuple[Bars, dict[str, np.ndarray]]:
    """Candles all alike but for one that is wild, and what `earnings` says of them."""
    event = np.arange(rows) == row
    still = {name: np.full(rows, 50.0) for name in ("open", "close", "adj_close")}
    swing = np.where(event, 1.1, 1.01)
    one = replace(bars(rows=rows), **still, high=50 * swing, low=50 / swing, volume=np.where(event, 1e6, 1e5))
    features = compute_features(Panel.of([one]), ["earnings"])
    return one, dict(zip(features.names, features.values.T, strict=True))


def test_a_season_is_due_fifty_to_seventy_sessions_after_an_event_and_past_until_forty() -> None:
    """Neither fifty nor seventy, nor forty."""
    _, columns = with_one_event(300, 150)
    assert np.flatnonzero(columns["earnings.season_due"]).tolist() == list(range(150 + 51, 150 + 70))
    assert np.flatnonzero(columns["earnings.season_past"]).tolist() == list(range(150, 150 + 40))


@pytest.mark.parametrize("quarters", [1, 2, 3, 4, 8, 12])
def test_an_event_is_remembered_about_its_date_for_three_years(quarters: int) -> None:
    one, columns = with_one_event(1100, 150)
    ago = following_sessions("XNYS", one.dates) - 91 * quarters
    remembered = 0
    for offset in range(-3, 8):
        rows = np.flatnonzero(columns[f"earnings.quarter_{quarters}_{offset:+d}"] > 1.5)
        expected = np.flatnonzero(np.searchsorted(one.dates, ago) + offset == 150)
        assert np.array_equal(rows, expected)
        remembered += len(rows)
    assert remembered > 5, "some dates have no session so many weeks later"
    assert not any(f"quarter_{number}_" in name for name in columns for number in (5, 6, 7, 9, 10, 11, 13))


def test_calendar_is_of_the_next_session(following: list[dt.date]) -> None:
    found = compute_features(Panel.of([ONE]), ["calendar"]).values
    for row, (date, coming) in enumerate(zip(ONE.dates.astype(object), following, strict=True)):
        third = (coming.month - 1) % 3 * 3 + min(coming.day // 10, 2)
        pause = (coming - date).days
        expected = [float(third == number) for number in range(9)]
        assert found[row].tolist() == [*expected, float(pause > 3), float(pause == 2), float(coming.month == 12)]


def test_shape_is_shares_of_the_long_volatility() -> None:
    logs = logs_of(ONE)
    gap, moves = logs[1:, 0] - logs[:-1, 3], np.diff(logs[:, 3])
    upper, lower = logs[:, 1] - logs[:, [0, 3]].max(axis=1), logs[:, [0, 3]].min(axis=1) - logs[:, 2]
    slow = np.array(slow_scale(logs, 66))
    first = [0.0]
    means = [
        np.sqrt(slow_usual(np.concatenate([first, gap**2]), 66)),
        slow_usual(upper, 66),
        slow_usual(lower, 66),
        slow_usual(np.concatenate([first, np.abs(moves)]), 66),
        np.sqrt(slow_usual(np.concatenate([first, moves**2]), 66)),
    ]
    found = compute_features(Panel.of([ONE]), ["shape"]).values
    for column, (mean, centre) in enumerate(zip(means, (1, 1.2, 1.2, 0.4, 0), strict=True)):
        expected = np.log(np.maximum(np.array(mean) / slow, 0.02)) + centre
        np.testing.assert_allclose(found[1:, column], expected[1:], atol=1e-5)


def test_market_is_the_mean_over_the_tickers_of_the_day() -> None:
    of = panel(120, 90, 30)
    found = compute_features(of, ["market"]).values
    ones = [
        bars(name, length, n, str(np.datetime64("2010-01-04") + 21 * n))
        for n, (name, length) in enumerate(zip(of.tickers, (120, 90, 30), strict=True))
    ]
    table: dict[np.datetime64, list[list[float]]] = {}
    for one in ones:
        logs = logs_of(one)
        scale, variance = slow_scale(logs), slow_variance(logs)
        fast, slow = slow_scale(logs, 3), slow_scale(logs, 66)
        for row in range(21, len(one)):
            own = scale[row]
            measures = [
                math.log(max(math.sqrt(variance[row]), 1e-3) / own),
                (math.log(own) + 4.2) / 0.5,
                float(np.clip((logs[row, 3] - logs[row - 1, 3]) / own, -4, 4)),
                math.log(fast[row] / own),
                math.log(slow[row] / own),
            ]
            table.setdefault(one.dates[row], []).append(measures)
    for row, date in enumerate(of.sessions):
        expected = np.mean(table[date], axis=0) if date in table else np.zeros(5)
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("evening", "usual"),
    [
        ("2001-09-10", "2001-09-11"),
        ("2004-06-10", "2004-06-11"),
        ("2012-10-26", "2012-10-29"),
        ("2018-12-04", "2018-12-05"),
    ],
)
def test_the_evening_before_a_closure_that_nobody_foresaw_is_an_evening_like_others(evening: str, usual: str) -> None:
    """The pause before the coming session, and the quarters that are looked back from it, know nothing of it."""
    day = np.datetime64(evening)
    days = sessions("XNYS", day - 700, day + 20)[-ROWS:]
    row = int(np.searchsorted(days, day))
    one = replace(ONE, dates=days)
    features = compute_features(Panel.of([one]), ["calendar"])
    found = dict(zip(features.names, features.values[row], strict=True))
    assert str(following_sessions("XNYS", days[[row]])[0]) == usual
    assert (days[row + 1] - day).astype(int) > (np.datetime64(usual) - day).astype(int)  # it was shut longer
    assert found["calendar.long_pause"] == 0
    assert found["calendar.pause"] == 0
