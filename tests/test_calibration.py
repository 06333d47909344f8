"""Rolling calibration: what it shifts, what it knows, and where it does not act."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.config.schema import LEVELS, CalibrationConfig
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.calibration import Offsets, rolling_offsets
from tests.studio import assert_coherent, dataset, panel

SETTINGS = CalibrationConfig(rolling=True, steps=(1,), window=60, every=10)
STEPS = (1, 3)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(320, 300, 280), STEPS)


def too_narrow(of: Dataset) -> object:
    """A forecaster whose bands are a quarter of what they should be."""
    shape = np.array([-1.6, -1.3, -0.7, 0.0, 0.7, 1.3, 1.6]) / 4

    def forecast(rows: Rows) -> np.ndarray:
        return of.units(rows)[..., None, None] * np.broadcast_to(shape, (4, len(shape)))

    return forecast


def offsets(of: Dataset, first: str = "2010-10-01", last: str = "2011-03-01") -> Offsets:
    return rolling_offsets(too_narrow(of), of, SETTINGS, LEVELS, np.datetime64(first), np.datetime64(last))  # type: ignore[arg-type]


def test_coverage_is_centred_on_the_days_that_follow(data: Dataset) -> None:
    rows = np.flatnonzero(
        (data.panel.sessions > np.datetime64("2010-10-15"))
        & np.isfinite(data.moves(np.arange(len(data.panel.sessions)))[:, 0, 0])
        & data.features.ready
    )
    raw = too_narrow(data)(rows)  # type: ignore[operator]
    mended = offsets(data).apply(raw, data, rows)
    outcome = data.moves(rows)[:, 0, 3]

    def covered(quantiles: np.ndarray) -> float:
        return float(np.mean((outcome >= quantiles[:, 0, 3, 1]) & (outcome <= quantiles[:, 0, 3, 5])))

    assert covered(raw) < 0.5
    assert covered(mended) == pytest.approx(0.8, abs=0.06)
    assert_coherent(mended)


def test_steps_that_are_not_named_stay_as_they_are(data: Dataset) -> None:
    rows = np.array([250, 560])
    raw = too_narrow(data)(rows)  # type: ignore[operator]
    mended = offsets(data).apply(raw, data, rows)
    assert np.array_equal(mended[:, 1], np.sort(raw[:, 1], axis=-1))
    assert not np.array_equal(mended[:, 0], raw[:, 0])


def test_a_shift_is_the_quantile_of_the_errors_whose_outcome_is_known(data: Dataset) -> None:
    found = offsets(data)
    index = 3
    date = found.dates[index]
    grid = data.panel.dates
    update = int(np.searchsorted(grid, date))
    origins = grid[update - 1 - SETTINGS.window + 1 : update]
    rows = np.flatnonzero(np.isin(data.panel.sessions, origins) & data.features.ready)
    errors = (data.moves(rows)[:, 0, 3] - too_narrow(data)(rows)[:, 0, 3, 5]) / data.units(rows)[:, 0]  # type: ignore[operator]
    assert found.values[index, 0, 3, 5] == pytest.approx(np.quantile(errors, LEVELS[5]), abs=1e-12)


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_what_comes_after_an_origin_does_not_reach_its_correction_by_a_bit(data: Dataset, how: str) -> None:
    day = np.datetime64("2011-01-12")
    later = data.panel.sessions > day
    if how == "deleted":
        other = dataset(data.panel.until(day), STEPS)
    else:
        prices = np.where(later[:, None], data.panel.prices * 1.7, data.panel.prices)
        other = dataset(replace(data.panel, prices=prices), STEPS)
    ours, theirs = offsets(data, last=str(day)), offsets(other, last=str(day))
    assert np.array_equal(ours.dates, theirs.dates)
    assert np.array_equal(ours.values, theirs.values)
    assert ours.values.any()


def test_before_the_first_correction_a_forecast_stays(data: Dataset) -> None:
    rows = np.array([70])
    raw = too_narrow(data)(rows)  # type: ignore[operator]
    assert np.array_equal(offsets(data).apply(raw, data, rows), raw)
