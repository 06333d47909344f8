"""Candles in a terminal: each price at its height, each session in its column, in any width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.inference.forecast import History
from forecaster.show.candlechart import HEIGHT, candle_chart
from forecaster.show.plain import plain
from tests.forecasts import made

RISEN, FALLEN, BANDS = "┃╽╿╻╹", "█▄▀", "░▒"


def rows(chart: str) -> list[str]:
    return chart.splitlines()[:HEIGHT]


def columns(chart: str) -> list[str]:
    """What stands in each column, from the top, without the axis."""
    whole = rows(chart)
    width = max(row.rindex("┊") for row in whole)
    return ["".join(row.ljust(200)[place] for row in whole) for place in range(width)]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
@pytest.mark.parametrize("steps", [(1,), (1, 2, 3, 4, 5), tuple(range(1, 21)), (1, 2, 3, 4, 5, 20)])
def test_a_chart_fits_its_width_and_shows_both_sides_of_the_origin(width: int, steps: tuple[int, ...]) -> None:
    chart = candle_chart(made(steps=steps), width).plain
    assert len(chart.splitlines()) == HEIGHT + 1
    assert max(map(len, chart.splitlines())) <= width
    lines = {row.index("┊") for row in chart.splitlines()}
    assert len(lines) == 1
    assert any(mark in chart for mark in BANDS)
    assert sum(any(mark in column for mark in RISEN + FALLEN + "│") for column in columns(chart)) >= 12


def test_a_rising_candle_is_thin_and_a_falling_one_solid() -> None:
    forecast = made(steps=(1,))
    candles = np.array([[100, 112, 98, 110], [110, 112, 98, 100]], float)
    known = replace(forecast, history=History(forecast.history.dates[-2:], candles * forecast.last_close / 100))
    risen, _, fallen, _ = columns(candle_chart(known, 60).plain)
    assert set(risen) & set(RISEN)
    assert not set(risen) & set(FALLEN)
    assert set(fallen) & set(FALLEN)


def test_bands_widen_with_the_step() -> None:
    chart = candle_chart(made(steps=(1, 2, 3, 4, 5)), 80).plain
    (origin,) = {row.index("┊") for row in rows(chart)}
    heights = [sum(row[column] in BANDS for row in rows(chart)) for column in range(origin + 2, origin + 12, 2)]
    assert heights == sorted(heights)
    assert heights[-1] > heights[0] > 0


def test_a_step_far_ahead_stands_at_its_session_and_what_was_not_trained_is_empty() -> None:
    chart = candle_chart(made(steps=(1, 20)), 80).plain
    (origin,) = {row.index("┊") for row in rows(chart)}
    ahead = [row[origin + 1 :].split(" 1")[0] for row in rows(chart)]
    filled = {place for row in ahead for place, mark in enumerate(row[:40]) if mark in BANDS}
    assert filled == {0, 1, 38, 39}


def test_dates_of_the_first_candle_the_origin_and_the_last_step_are_named() -> None:
    forecast = made()
    last = candle_chart(forecast, 80).plain.splitlines()[-1]
    assert str(forecast.origin) in last
    assert last.endswith(str(forecast.dates[-1]))
    assert last[:10] in forecast.history.dates.astype(str).tolist()


def axis(steps: tuple[int, ...], width: int) -> tuple[int, str]:
    """The column of the line and the axis with its dates."""
    last = candle_chart(made(steps=steps), width).plain.splitlines()[-1]
    return last.index("┊"), last


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("steps", [(1, 20), (1, 2, 3, 4, 5, 20), (20,), tuple(range(1, 21)), (5, 20)])
def test_the_last_day_stands_under_its_candle_and_the_first_under_its_own(steps: tuple[int, ...], width: int) -> None:
    dates = made(steps=steps).dates
    origin, last = axis(steps, width)
    pitch = (len(last) - origin - 1) // 20
    assert len(last) == origin + 1 + 20 * pitch, "it ends where the last candle's column ends"
    assert last.endswith(str(dates[-1]))
    begins = origin + 1 + (steps[0] - 1) * pitch
    room = len(steps) > 1 and begins + 21 < len(last)
    assert (last[begins : begins + 10] == str(dates[0])) == room
    assert last.count("-") == 2 * (4 if room else 3), "no day is told twice"


def test_the_origin_is_named_where_the_first_day_has_no_room() -> None:
    forecast = made(steps=(1, 20))
    origin, last = axis((1, 20), 45)
    assert last[:origin].strip() == str(forecast.origin)


def test_a_price_of_no_width_and_a_history_of_one_candle_are_drawn() -> None:
    forecast = made(steps=(1,))
    still = np.full((1, 4), forecast.last_close)
    flat = replace(
        forecast,
        prices=np.full((1, 4, 7), forecast.last_close),
        history=History(forecast.history.dates[-1:], still),
    )
    chart = candle_chart(flat, 40).plain
    assert len(chart.splitlines()) == HEIGHT + 1
    assert chart.endswith(str(flat.dates[-1]))


def test_ascii_tells_rising_from_falling_from_bands() -> None:
    drawn = plain(candle_chart(made(), 80).plain)
    assert drawn.isascii()
    assert "?" not in drawn
    assert {"o", "#", ".", ":", "|"} <= set(drawn)
