"""Rolling calibration against a naive loop, and blind to what comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import LEVELS, CalibrationConfig
from forecaster.data.panel import Panel
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Offsets, first_origin, has_spread, rolling_offsets, update_on
from tests.studio import CUTS, assert_coherent, bars, dataset, futures, panel

STEPS = (1, 3)
SETTINGS = CalibrationConfig(rolling=True, steps=(1,), window=50, every=10)
FIRST, LAST = np.datetime64("2010-08-02"), np.datetime64("2010-11-30")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(300, 260, 200), STEPS)


def narrow(data: Dataset) -> Callable[[Rows], np.ndarray]:
    """Forecasts half as wide as they should be."""
    return lambda rows: data.units(rows)[..., None, None] * np.linspace(-0.8, 0.8, 7) * np.ones((1, 1, 4, 1))


def test_offsets_are_the_quantiles_of_the_last_known_errors(data: Dataset) -> None:
    offsets = rolling_offsets(narrow(data), data, SETTINGS, LEVELS, FIRST, LAST)
    dates, sessions = data.panel.dates, data.panel.sessions
    logs = np.log(data.panel.prices)
    assert offsets.dates[0] <= FIRST < offsets.dates[1]
    assert len(offsets.dates) > 5
    for place, date in enumerate(offsets.dates):
        now = int(np.searchsorted(dates, date))
        assert now % 10 == 0
        errors = []
        for row in range(len(sessions) - 1):
            origin = int(np.searchsorted(dates, sessions[row]))
            same = data.panel.ticker_of_row[row] == data.panel.ticker_of_row[row + 1]
            if same and now - 51 < origin <= now - 1 and sessions[row + 1] <= date and row - data.first_row[row] >= 60:
                z = (logs[row + 1] - logs[row, 3]) / data.features.scale[row]
                errors.append(z[:, None] - np.linspace(-0.8, 0.8, 7))
        expected = [np.quantile(np.array(errors)[..., column], level, axis=0) for column, level in enumerate(LEVELS)]
        np.testing.assert_allclose(offsets.values["XNYS"][place, 0], np.array(expected).T, rtol=1e-9, atol=1e-9)
    assert not offsets.values["XNYS"][:, 1].any(), "only the steps of the settings are corrected"


@pytest.mark.parametrize("step", STEPS)
def test_calibration_widens_what_was_too_narrow_and_stays_coherent(data: Dataset, step: int) -> None:
    settings = SETTINGS.model_copy(update={"steps": (step,)})
    offsets = rolling_offsets(narrow(data), data, settings, LEVELS, FIRST, LAST)
    rows = np.flatnonzero((data.panel.sessions >= FIRST) & (data.panel.sessions <= LAST))
    before = narrow(data)(rows)
    after = offsets.apply(before, data, rows)
    assert_coherent(after)
    place = STEPS.index(step)
    close = data.moves(rows)[:, place, 3]
    held = [((close >= one[:, place, 3, 1]) & (close <= one[:, place, 3, 5])).mean() for one in (before, after)]
    assert abs(held[1] - 0.8) < abs(held[0] - 0.8) - 0.02
    early = np.array([70, 71])
    np.testing.assert_array_equal(
        offsets.apply(narrow(data)(early), data, early)[..., 3, :], narrow(data)(early)[..., 3, :]
    )


def test_a_longer_history_moves_no_day_of_correction(data: Dataset) -> None:
    dates = data.panel.dates
    for day in dates[-30:]:
        update = update_on(dates, SETTINGS, day)
        assert update == update_on(dates[137:], SETTINGS, day) <= day
        assert np.busday_count(update, day) < SETTINGS.every
        oldest = first_origin(dates, SETTINGS, day)
        assert np.searchsorted(dates, update) - np.searchsorted(dates, oldest) == SETTINGS.window


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["changed", "deleted"])
@pytest.mark.parametrize("day", CUTS, ids=str)
def test_what_comes_after_a_date_does_not_reach_its_correction_by_a_bit(
    panel_with_holes: Panel, step: int, how: str, day: np.datetime64
) -> None:
    """Nor the outcome of a ticker that did not trade on the day: it came later than that of the others."""
    settings = SETTINGS.model_copy(update={"steps": (step,), "every": 1})
    found = []
    for of in (panel_with_holes, futures(panel_with_holes, day)[how]):
        one = dataset(of, STEPS)
        found.append(rolling_offsets(narrow(one), one, settings, LEVELS, day - 10, day))
    assert found[0].dates[-1] == day == found[1].dates[-1]
    for calendar in ("XNYS", "XTKS"):
        assert np.array_equal(found[0].values[calendar], found[1].values[calendar])
        assert found[0].values[calendar][-1].any()


def test_step_one_is_the_same_whatever_else_is_corrected(data: Dataset) -> None:
    more = SETTINGS.model_copy(update={"steps": STEPS})
    one, both = (rolling_offsets(narrow(data), data, of, LEVELS, FIRST, LAST).values["XNYS"] for of in (SETTINGS, more))
    assert np.array_equal(one[:, 0], both[:, 0])
    assert both[:, 1].any()


def test_each_origin_is_forecast_once_for_all_steps(data: Dataset) -> None:
    asked: list[Rows] = []

    def forecaster(rows: Rows) -> np.ndarray:
        asked.append(rows)
        return narrow(data)(rows)

    rolling_offsets(forecaster, data, SETTINGS.model_copy(update={"steps": STEPS}), LEVELS, FIRST, LAST)
    rows = np.concatenate(asked)
    assert len(rows) == len(np.unique(rows))


def test_a_point_forecast_is_not_corrected(data: Dataset) -> None:
    offsets = rolling_offsets(narrow(data), data, SETTINGS, LEVELS, FIRST, LAST)
    rows = np.flatnonzero((data.panel.sessions >= FIRST) & (data.panel.sessions <= LAST))
    point = np.zeros((len(rows), len(STEPS), 4, len(LEVELS)))
    assert not offsets.apply(point, data, rows).any()
    assert offsets.apply(narrow(data)(rows) * 1e-6, data, rows).any()


def test_no_origin_shallower_than_the_context_is_asked(data: Dataset) -> None:
    """A window that is not full would be filled with the candles after its origin."""
    asked: list[Rows] = []

    def forecaster(rows: Rows) -> np.ndarray:
        asked.append(rows)
        return narrow(data)(rows)

    rolling_offsets(forecaster, data, SETTINGS, LEVELS, FIRST, LAST, history=110)
    rows = np.concatenate(asked)
    assert (rows - data.first_row[rows]).min() == 109


def test_no_origin_is_asked_whose_error_nobody_uses(data: Dataset) -> None:
    """None before the first window, and none whose outcome has not come."""
    asked: list[Rows] = []

    def forecaster(rows: Rows) -> np.ndarray:
        asked.append(rows)
        return narrow(data)(rows)

    dates, last = data.panel.dates, data.panel.dates[-1]
    rolling_offsets(forecaster, data, SETTINGS, LEVELS, FIRST, last)
    rows = np.concatenate(asked)
    assert data.panel.sessions[rows].min() == first_origin(dates, SETTINGS, FIRST)
    assert data.panel.sessions[rows + 1].max() == update_on(dates, SETTINGS, last)
    assert np.array_equal(data.panel.ticker_of_row[rows], data.panel.ticker_of_row[rows + 1])


def test_a_correction_is_in_force_from_its_date_until_the_next(data: Dataset) -> None:
    days = data.panel.sessions[[100, 110]]
    values = np.array([1.0, 2.0])[:, None, None, None] * np.ones((2, len(STEPS), 4, len(LEVELS)))
    rows = np.array([99, 100, 109, 110, 111])
    moved = Offsets(days, {"XNYS": values}).apply(narrow(data)(rows), data, rows) - narrow(data)(rows)
    np.testing.assert_allclose(moved[:, 0, 3, 0] / data.units(rows)[:, 0], [0, 1, 1, 2, 2], atol=1e-9)


def test_corrections_from_before_all_candles_are_all_there_are(data: Dataset) -> None:
    dates = data.panel.dates
    early, whole = (
        rolling_offsets(narrow(data), data, SETTINGS, LEVELS, first, LAST) for first in (dates[0] - 9, dates[0])
    )
    assert np.array_equal(early.dates, whole.dates)
    assert early.dates[0] == dates[0]
    assert len(early.dates) > 20


@pytest.mark.parametrize("level", [0, -1])
def test_a_forecast_of_which_a_single_level_differs_has_spread(level: int) -> None:
    quantiles = np.zeros((2, 1, 4, len(LEVELS)))
    quantiles[1, 0, 3, level] = 1.0
    assert has_spread(quantiles).tolist() == [False, True]


@pytest.mark.parametrize("step", STEPS)
def test_a_day_of_new_york_does_not_reach_the_same_day_of_tokyo(step: int) -> None:
    settings = CalibrationConfig(rolling=True, steps=(step,), window=50, every=1)
    day = np.datetime64("2010-10-14")
    york, tokyo = bars("NY", 300), replace(bars("TK", 300, 5), calendar="XTKS")
    fallen = np.where(york.dates == day, 0.7, 1.0)
    prices = ("open", "high", "low", "close", "adj_close")
    changed = replace(york, **{name: fallen * getattr(york, name) for name in prices})
    found = []
    for one in (york, changed):
        of = dataset(Panel.of([one, tokyo]), STEPS)
        found.append(rolling_offsets(narrow(of), of, settings, LEVELS, day, day).values)
    assert np.array_equal(found[0]["XTKS"], found[1]["XTKS"])
    assert not np.array_equal(found[0]["XNYS"], found[1]["XNYS"])


def test_a_ticker_of_an_exchange_without_errors_stays_as_it_is(data: Dataset) -> None:
    offsets = rolling_offsets(narrow(data), data, SETTINGS, LEVELS, FIRST, LAST)
    other = dataset(Panel.of([replace(bars("TK", 300, 5), calendar="XTKS")]), STEPS)
    rows = np.array([200, 250])
    assert np.array_equal(offsets.apply(narrow(other)(rows), other, rows)[..., 3, :], narrow(other)(rows)[..., 3, :])
