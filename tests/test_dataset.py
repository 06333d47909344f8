"""Origins, outcomes, units and pooled quantiles against naive loops."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.config.schema import LEVELS
from forecaster.data.panel import Panel
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.dataset import Dataset, pooled_quantiles
from tests.studio import CUTS, dataset, futures, panel

STEPS = (1, 2, 5)
BORDER = np.datetime64("2010-05-14")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(panel(150, 100, 62, 30), STEPS)


def cells(data: Dataset, period: Period) -> set[tuple[int, int]]:
    """(row, step) of every forecast of a period: ready, and origin and outcome both in it."""
    found = set()
    panel_ = data.panel
    for ticker in panel_.tickers:
        rows = range(panel_.rows(ticker).start, panel_.rows(ticker).stop)
        for depth, row in enumerate(rows):
            for step in STEPS:
                if depth < 60 or row + step not in rows:
                    continue
                origin, outcome = panel_.sessions[row], panel_.sessions[row + step]
                if (period.start is None or origin > period.start) and outcome <= period.end:
                    found.add((row, step))
    return found


@pytest.mark.parametrize(
    "period",
    [
        Period(None, BORDER),
        Period(BORDER, np.datetime64("2010-06-30")),
        Period(np.datetime64("2010-06-30"), np.datetime64("2030-01-01")),
    ],
)
def test_origin_and_outcome_lie_in_the_same_period(data: Dataset, period: Period) -> None:
    rows = data.origins(period)
    known = data.known(rows, period)
    mine = {
        (int(row), step) for place, row in enumerate(rows) for column, step in enumerate(STEPS) if known[place, column]
    }
    assert mine == cells(data, period)
    assert {row for row, _ in mine} == set(rows.tolist()), "an origin without any outcome is none"


def test_no_cell_belongs_to_two_periods_and_only_the_purge_is_lost(data: Dataset) -> None:
    end = np.datetime64("2030-01-01")
    before, after, both = (cells(data, Period(*dates)) for dates in ((None, BORDER), (BORDER, end), (None, end)))
    assert not before & after
    lost = both - before - after
    assert lost
    for row, step in lost:
        assert data.panel.sessions[row] <= BORDER < data.panel.sessions[row + step]


def test_history_asks_for_so_many_rows_of_the_ticker(data: Dataset) -> None:
    rows = data.origins(Period(None, np.datetime64("2030-01-01")), history=90)
    depths = rows - data.first_row[rows] + 1
    assert depths.min() == 90
    assert set(data.panel.ticker_of_row[rows]) == {0, 1}


def test_moves_are_logs_of_prices_to_come_over_the_last_close(data: Dataset) -> None:
    rows = np.array([60, 149, 148, 249, 310])
    moves = data.moves(rows)
    for place, row in enumerate(rows):
        end = data.panel.offsets[data.panel.ticker_of_row[row] + 1]
        for column, step in enumerate(STEPS):
            if row + step < end:
                expected = np.log(data.panel.prices[row + step] / data.panel.prices[row, 3])
                np.testing.assert_allclose(moves[place, column], expected, atol=1e-12)
            else:
                assert np.isnan(moves[place, column]).all()


def test_units_grow_with_the_root_of_the_step(data: Dataset) -> None:
    units = data.units(np.array([70, 200]))
    for place, row in enumerate((70, 200)):
        np.testing.assert_allclose(units[place], [data.features.scale[row] * step**0.5 for step in STEPS], rtol=1e-12)


def test_pooled_quantiles_are_those_of_all_moves_in_their_units(data: Dataset) -> None:
    period = Period(None, BORDER)
    pooled = pooled_quantiles(data, period, data.units, LEVELS)
    assert pooled.shape == (3, 4, 7)
    for column, step in enumerate(STEPS):
        rows = sorted(row for row, other in cells(data, period) if other == step)
        logs = np.log(data.panel.prices)
        for variable in range(4):
            z = [(logs[row + step, variable] - logs[row, 3]) / (data.features.scale[row] * step**0.5) for row in rows]
            np.testing.assert_allclose(pooled[column, variable], np.quantile(z, LEVELS), rtol=1e-9)


@pytest.mark.parametrize("day", CUTS, ids=str)
def test_what_comes_after_a_period_does_not_reach_its_pooled_quantiles(
    panel_with_holes: Panel, day: np.datetime64
) -> None:
    pools = []
    for of in (panel_with_holes, *futures(panel_with_holes, day).values()):
        one = dataset(of, STEPS)
        pools.append(pooled_quantiles(one, Period(None, day), one.units, LEVELS))
    assert np.array_equal(pools[0], pools[1])
    assert np.array_equal(pools[0], pools[2])


def test_a_context_longer_than_any_history_names_the_longest(data: Dataset) -> None:
    with pytest.raises(InputError, match=r"task\.context is 500, .*longest history has 150 in all.*lower"):
        data.require_origins(Period(None, BORDER), history=500)


def test_a_period_shorter_than_the_horizon_names_the_step() -> None:
    data = dataset(panel(150), (1, 2, 20))
    with pytest.raises(InputError, match=r"task\.horizon has step 20, .*lower task\.horizon"):
        data.require_origins(Period(BORDER, BORDER + 14), history=1)


def test_what_has_not_come_is_missing_for_the_very_last_row_too(data: Dataset) -> None:
    last = len(data.panel.sessions) - 1
    assert np.isnan(data.moves(np.array([last]))).all()
    assert not np.isnan(data.moved(np.array([last - STEPS[-1]]), STEPS[-1])).any()
