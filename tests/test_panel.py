from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel, read_panel
from forecaster.data.store import Store
from forecaster.errors import InputError, UnknownNameError

Make = Callable[..., Bars]
DAY = np.datetime64


@pytest.fixture
def mixed(make_bars: Make) -> Panel:
    """A stock from Thursday to Tuesday, bitcoin on every day, and a stock that starts on Monday."""
    return Panel.of(
        [
            make_bars("AAPL", ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"]),
            make_bars("BTC-USD", [f"2020-01-0{day}" for day in range(2, 8)], seed=1, calendar="24/7"),
            make_bars("NEW", ["2020-01-06", "2020-01-07"], seed=2, currency="EUR"),
        ]
    )


def test_the_grid_is_the_union_of_all_sessions(mixed: Panel) -> None:
    assert mixed.dates.astype(str).tolist() == [f"2020-01-0{day}" for day in range(2, 8)]
    assert mixed.ohlc.shape == (3, 6, 4)
    assert mixed.ohlc.dtype == np.float32


def test_panel_masks_dates_a_ticker_did_not_trade(mixed: Panel) -> None:
    assert mixed.observed.astype(int).tolist() == [[1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1]]


def test_panel_never_fills_forward(mixed: Panel) -> None:
    assert np.array_equal(np.isnan(mixed.ohlc), np.broadcast_to(~mixed.observed[:, :, None], (3, 6, 4)))


def test_the_tensor_holds_the_adjusted_candles(mixed: Panel, make_bars: Make) -> None:
    new = make_bars("NEW", ["2020-01-06", "2020-01-07"], seed=2)
    np.testing.assert_array_equal(mixed.ohlc[2, 4:], new.adjusted().astype(np.float32))


def test_each_ticker_keeps_its_own_sessions(mixed: Panel) -> None:
    stock, coin = mixed.rows("AAPL"), mixed.rows("BTC-USD")
    assert mixed.sessions[stock].astype(str).tolist() == ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"]
    assert np.all(np.diff(mixed.sessions[coin]) == np.timedelta64(1, "D"))
    assert mixed.lengths.tolist() == [4, 6, 2]
    assert mixed.ticker_of_row.tolist() == [0] * 4 + [1] * 6 + [2] * 2
    with pytest.raises(UnknownNameError, match=r"Unknown ticker 'AAPLE'. Did you mean 'AAPL'?"):
        mixed.rows("AAPLE")


def test_until_gives_what_was_known_then(mixed: Panel) -> None:
    known = mixed.until(DAY("2020-01-05"))
    assert known.tickers == ("AAPL", "BTC-USD")
    assert known.lengths.tolist() == [2, 4]
    assert known.calendars == ("XNYS", "24/7")
    assert known.sessions.max() == DAY("2020-01-05")
    assert np.array_equal(known.prices[known.rows("BTC-USD")], mixed.prices[mixed.rows("BTC-USD")][:4])
    assert mixed.until(DAY("2020-01-02")).lengths.tolist() == [1, 1]
    with pytest.raises(InputError, match=r"no candles up to 2020-01-01: the first is on 2020-01-02"):
        mixed.until(DAY("2020-01-01"))


def test_until_equals_a_panel_that_never_had_the_later_rows(real_bars: dict[str, Bars]) -> None:
    date = DAY("2011-06-15")
    panel = Panel.of(list(real_bars.values()))
    short = Panel.of([cut for bars in real_bars.values() if len(cut := bars.between(end=date))])
    assert "FB" not in short.tickers
    assert panel.until(date).fingerprint == short.fingerprint
    assert panel.until(DAY("2100-01-01")).fingerprint == panel.fingerprint


def test_last_rows_are_the_newest_up_to_a_date(mixed: Panel) -> None:
    assert mixed.last_rows(DAY("2020-01-05")).tolist() == [1, 7, 9]  # NEW has none: the row before its first
    assert mixed.last_rows(DAY("2020-01-07")).tolist() == [3, 9, 11]


def test_the_fingerprint_is_stable_and_known(mixed: Panel) -> None:
    again = replace(mixed)
    assert again.fingerprint == mixed.fingerprint
    assert len(mixed.fingerprint) == len(hashlib.sha256().hexdigest())


@pytest.mark.parametrize("name", [item.name for item in fields(Panel)])
def test_the_fingerprint_changes_when_anything_changes(mixed: Panel, make_bars: Callable[..., Bars], name: str) -> None:
    value = getattr(mixed, name)
    if name == "offsets":
        changed = np.array([0, 3, 10, 12])
    elif name == "covariates":
        changed = (make_bars("^VIX", ["2020-01-06", "2020-01-07"]),)
    elif isinstance(value, tuple):
        changed = (*value[:-1], "OTHER")
    else:
        changed = value.copy()
        changed[-1] = changed[-1] + 1 if name == "sessions" else np.nextafter(changed[-1], np.inf)
    assert replace(mixed, **{name: changed}).fingerprint != mixed.fingerprint


def test_a_panel_is_frozen_and_leaves_its_callers_arrays_writable(mixed: Panel) -> None:
    prices = mixed.prices.copy()
    panel = replace(mixed, prices=prices)
    with pytest.raises(ValueError, match=r"read-only"):
        panel.prices[0] = 1
    prices[0] = 1


def test_an_empty_panel_is_refused(make_bars: Make) -> None:
    with pytest.raises(InputError, match=r"no candles, expected at least one"):
        Panel.of([])
    with pytest.raises(InputError, match=r"^AAPL: no candles"):
        Panel.of([make_bars(days=0)])


def test_a_panel_is_read_from_the_store_between_dates(sample_store: Store) -> None:
    panel = read_panel(sample_store, ["IBM", "AAPL"], DAY("2012-01-01"), DAY("2012-12-31"))
    assert panel.tickers == ("IBM", "AAPL")
    assert panel.lengths.tolist() == [250, 250]
    assert panel.observed.all()
    with pytest.raises(InputError, match=r"FB: no candles between the start and 2010-01-01: choose other dates"):
        read_panel(sample_store, ["AAPL", "FB"], end=DAY("2010-01-01"))
    with pytest.raises(UnknownNameError, match=r"Unknown ticker 'APPL'"):
        read_panel(sample_store, ["APPL"])
