"""Windows of plain candles: no look-ahead, no border crossed, nothing copied."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import forecaster
from forecaster.data.panel import Panel
from forecaster.errors import InputError
from tests.studio import CUTS, futures, panel

LENGTHS = (80, 70, 12)


def test_every_window_is_followed_by_its_target() -> None:
    own = panel(*LENGTHS)
    windows = forecaster.windows(own, context=10, horizon=3)
    assert len(windows) == sum(length - 12 for length in LENGTHS)
    for index in (0, 1, 67, 68, len(windows) - 1):
        window, target = windows[index]
        ticker, date = windows.origin(index)
        prices, sessions = own.prices[own.rows(ticker)], own.sessions[own.rows(ticker)]
        row = int(np.searchsorted(sessions, date))
        assert np.array_equal(window.numpy(), prices[row - 9 : row + 1].astype(np.float32))
        assert np.array_equal(target.numpy(), prices[row + 1 : row + 4].astype(np.float32))


def test_a_ticker_with_fewer_candles_has_no_window() -> None:
    windows = forecaster.windows(panel(*LENGTHS), context=10, horizon=5)
    assert {windows.origin(index)[0] for index in range(len(windows))} == {"T0", "T1"}


def test_windows_and_targets_are_views() -> None:
    windows = forecaster.windows(panel(30), context=10)
    window, target = windows[4]
    start = windows.candles.data_ptr()
    assert window.data_ptr() == start + 4 * 4 * 4
    assert target.data_ptr() == start + 14 * 4 * 4


@pytest.mark.parametrize("day", CUTS, ids=str)
def test_no_window_sees_what_comes_after_it(panel_with_holes: Panel, day: np.datetime64) -> None:
    """Other candles after a day, or none, leave all windows that end on it as they are."""
    own = forecaster.windows(panel_with_holes, context=10, horizon=1, until=day.item()).tensors()
    for future in futures(panel_with_holes, day).values():
        inputs, targets = forecaster.windows(future, context=10, horizon=1, until=day.item()).tensors()
        assert torch.equal(own[0], inputs)
        assert torch.equal(own[1], targets)


def test_periods_share_no_target() -> None:
    own = panel(60, 60)
    border = dt.date(2010, 3, 1)
    earlier = forecaster.windows(own, context=5, horizon=3, until=border)
    later = forecaster.windows(own, context=5, horizon=3, after=border)
    assert len(earlier)
    assert len(later)
    last_targets = own.sessions[(earlier.firsts + 5 + 3 - 1).numpy()]
    first_targets = own.sessions[(later.firsts + 5).numpy()]
    assert last_targets.max() <= np.datetime64(border) < first_targets.min()


def test_all_pairs_at_once_are_those_of_a_loader() -> None:
    windows = forecaster.windows(panel(*LENGTHS), context=10, horizon=2)
    loaded = list(DataLoader(windows, batch_size=16))
    for place, whole in enumerate(windows.tensors()):
        assert torch.equal(torch.cat([pair[place] for pair in loaded]), whole)


def test_sizes_that_do_not_fit_are_refused_in_one_line() -> None:
    own = panel(30, 20)
    with pytest.raises(InputError, match="context is 0, expected at least 1 candle"):
        forecaster.windows(own, context=0)
    with pytest.raises(InputError, match=r"need 31 candles, .* \(the longest history has 30 in all\)"):
        forecaster.windows(own, context=30, horizon=1)
    with pytest.raises(InputError, match="no ticker has so many after 2020-01-01 and until the end"):
        forecaster.windows(own, context=5, after=dt.date(2020, 1, 1))
