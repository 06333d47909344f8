"""The numbers behind a page's charts: all candles to seven digits, and nothing later than the origin."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from forecaster.inference.forecast import History
from forecaster.show.fan import fan_of
from forecaster.show.pagedata import page_data
from tests.forecasts import made, with_paths
from tests.studio import bars


def test_all_candles_read_back_and_the_last_is_the_origins() -> None:
    known = bars("AAA", 700)
    forecast = replace(made(rows=700), history=History.of(known))
    (packed,) = json.loads(page_data([fan_of(forecast)]))["tickers"]
    candles = np.frombuffer(base64.b64decode(packed["candles"]), "<f4").reshape(-1, 4)
    days = np.frombuffer(base64.b64decode(packed["days"]), "<i4")
    assert len(forecast.history.dates) == 66 < len(candles) == 700
    np.testing.assert_allclose(candles, known.adjusted() * (known.close[-1] / known.adj_close[-1]), rtol=1e-7)
    np.testing.assert_allclose(candles[-66:], forecast.history.ohlc, rtol=1e-7)
    assert np.array_equal(np.datetime64(packed["first"]) + days, known.dates)


def test_bands_and_paths_begin_at_the_last_close() -> None:
    forecast = with_paths(made(steps=(1, 2, 20)), 3)
    (packed,) = json.loads(page_data([fan_of(forecast)]))["tickers"]
    lines = [packed["median"], *packed["paths"], packed["reach"]["upper"], *(one["lower"] for one in packed["bands"])]
    assert {line[0] for line in lines} == {forecast.last_close}
    assert [len(line) for line in lines] == [4, 3, 3, 3, 4, 4, 4, 4]
    assert (packed["steps"], packed["dates"]) == ([1, 2, 20], [str(date) for date in forecast.dates])
    assert [one["share"] for one in packed["bands"]] == ["90", "80", "50"]
    assert packed["bands"][packed["main"]]["share"] == "80"


@pytest.mark.parametrize("levels", [(0.5,), (0.25, 0.5, 0.75)])
def test_a_run_with_fewer_bands_has_those_alone(levels: tuple[float, ...]) -> None:
    (packed,) = json.loads(page_data([fan_of(made(levels=levels))]))["tickers"]
    assert len(packed["bands"]) == len(levels) // 2
    assert (packed["main"], packed["reach"] is None) == ((None, True) if len(levels) == 1 else (0, False))


def test_a_history_of_candles_alone_is_whole() -> None:
    history = made().history
    assert history.whole() is history
