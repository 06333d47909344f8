"""Prices at the edge of what is possible: a training and its forecasts stay finite, and data formats hold no NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forecaster.data.bars import Bars
from forecaster.data.calendars import sessions
from forecaster.data.store import Store
from tests.studio import Answer, bars, on_days

pytest_plugins = ("tests.studio_fixtures",)

PRICES = ("open", "high", "low", "close", "adj_close")
DAYS = sessions("XNYS", np.datetime64("2010-01-04"), np.datetime64("2013-06-28"))


def plain(ticker: str, seed: int = 1) -> Bars:
    return on_days(bars(ticker, len(DAYS), seed), DAYS)


def times(factor: float) -> Bars:
    one = plain("ODD", 2)
    return replace(one, **{name: getattr(one, name) * factor for name in PRICES})


def constant() -> Bars:
    return replace(plain("ODD"), **{name: np.full(len(DAYS), 10.0) for name in PRICES})


ODD: dict[str, Callable[[], Bars]] = {
    "constant": constant,
    "of a billionth": lambda: times(1e-11),
    "of a trillion": lambda: times(1e10),
    "a thousand times the other": lambda: times(1000),
    "never traded": lambda: replace(plain("ODD"), volume=np.zeros(len(DAYS))),
    "of one day": lambda: plain("ODD").between(start=DAYS[-1]),
    "with a hole": lambda: replace(
        plain("ODD"), dates=np.where(np.arange(len(DAYS)) < 400, DAYS - np.timedelta64(3650, "D"), DAYS)
    ),
}


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in numbers(inner)]
    return [float(value)] if isinstance(value, int | float) else []


@pytest.mark.parametrize("kind", ODD)
def test_training_and_forecast_stay_finite_or_say_which_ticker(
    kind: str, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    store = Store(tmp_path / "store")
    for one in (ODD[kind](), plain("PLAIN", 3)):
        store.write(one, source="test")
    places = ("--data-dir", store.root, "--runs-dir", tmp_path / "runs")
    quick = [
        "data.split={validation: 6m, test: 6m}", "data.tickers=all", "training.steps=10", "model.hidden_size=4",
        "training.batch=8", "task.horizon=3",
    ]  # fmt: skip
    settings = [word for setting in quick for word in ("--set", setting)]
    trained = say("train", "gru", *settings, "--name", "small", "--format", "json", "--quiet", *places)
    assert trained.code == 0, trained.err
    assert all(map(math.isfinite, numbers(json.loads(trained.out))))
    asked = say("predict", "ODD", "PLAIN", "--run", "small", "--offline", "--paths", 5, "--format", "json", *places)
    assert asked.code in (0, 3), asked.err
    if asked.code == 3:
        assert "error: ODD has 1 candles, but a forecast needs" in asked.err
    forecasts = json.loads(asked.out)
    assert forecasts[-1]["ticker"] == "PLAIN"
    assert all(map(math.isfinite, numbers(forecasts)))


def test_all_prices_constant_train_and_forecast(tmp_path: Path, say: Callable[..., Answer]) -> None:
    Store(tmp_path / "store").write(constant(), source="test")
    places = ("--data-dir", tmp_path / "store", "--runs-dir", tmp_path / "runs")
    words = ("data.split={validation: 6m, test: 6m}", "data.tickers=all", "training.steps=5", "model.hidden_size=2")
    settings = [word for setting in words for word in ("--set", setting)]
    answer = say("train", "gru", *settings, "--name", "flat", *places)
    assert "this is a bug" not in answer.err
    assert answer.code == 0, answer.err
    asked = say("predict", "ODD", "--run", "flat", "--offline", "--format", "json", *places)
    assert asked.code == 0, asked.err
    assert "has not moved since" in asked.err
