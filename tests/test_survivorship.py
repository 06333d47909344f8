"""Tickers chosen with knowledge of the test period: said, wherever a test is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from forecaster.data import candlefile
from forecaster.data.panel import read_panel
from forecaster.data.splits import Split
from forecaster.data.store import Store
from forecaster.runs.prepare import survivorship
from tests.studio import Answer, bars, settings

pytest_plugins = ("tests.studio_fixtures",)

SPLIT = Split(*(np.datetime64(date) for date in ("2010-06-30", "2010-09-30", "2010-12-31")))


class Past(dt.datetime):
    """A clock that stands on the day before the test."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Past:
        return cls(2010, 9, 1, tzinfo=tz)


def store_of(folder: Path, monkeypatch: pytest.MonkeyPatch, *then: str) -> Store:
    """Tickers that came into the store before the test began, and two that came today."""
    store = Store(folder)
    with monkeypatch.context() as patch:
        patch.setattr(candlefile, "dt", SimpleNamespace(datetime=Past, UTC=dt.UTC))  # for this module alone
        for ticker in then:
            store.write(bars(ticker, 200), source="test")
    for ticker in ("LATE", "LATER"):
        store.write(bars(ticker, 200), source="test")
    return store


def said(store: Store, *tickers: str) -> list[str]:
    return survivorship(store.root, read_panel(store, tickers), SPLIT)


def test_tickers_that_came_after_the_test_began_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(tmp_path, monkeypatch, "OLD", "OLDER")
    assert said(store, "OLD", "OLDER") == []
    (some,) = said(store, "OLD", "LATE")
    assert some.startswith("1 of the 2 tickers were chosen after the test began")
    assert "survivorship" in some
    assert said(store, "LATE", "LATER")[0].startswith("All 2 tickers were chosen after the test began")


def test_nothing_is_said_of_what_does_not_fail_like_a_company_or_was_not_chosen(tmp_path: Path) -> None:
    store = Store(tmp_path)
    others = ("^GSPC", "EURUSD=X", "CL=F", "BTC-USD")
    files = [f"MINE{place}" for place in range(10)]
    for ticker, source in [*((one, "yahoo") for one in (*others, "LATE")), *((one, "file") for one in files)]:
        store.write(bars(ticker, 200), source=source)
    assert said(store, *others) == []
    assert said(store, "LATE") == [], "one ticker is no choice among survivors"
    assert said(store, *files[:9]) == [], "a few files of one's own"
    assert said(store, *files)[0].startswith("All 10 tickers were chosen")
    assert said(store, *others, "LATE")[0].startswith("1 of the 5 tickers")


def test_an_update_does_not_make_a_ticker_younger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(tmp_path, monkeypatch, "OLD")
    store.write(bars("OLD", 220), source="test")
    assert store.record("OLD").since.startswith("2010-09-01")
    assert not store.record("OLD").changed.startswith("2010-09-01")
    assert said(store, "OLD") == []


def test_train_and_backtest_say_it(say: Callable[..., Answer], store: Path, tmp_path: Path) -> None:
    for command in ("train", "backtest"):
        quick = settings("training.steps=2", "model.hidden_size=2")
        answer = say(command, "gru", *quick, "--data-dir", store, "--runs-dir", tmp_path, "--quiet")
        assert "(survivorship)" in " ".join(answer.out.split())
