"""What the tests of the Yahoo source share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.data.sources import SOURCES
from tests.yahoo.kit import SATURDAY, Kit
from tests.yahoo.listings import sample
from tests.yahoo.server import YahooServer


@pytest.fixture(autouse=True)
def _cold_client() -> None:
    """The client keeps one set of cookies a process; each test starts without."""
    from yfinance.data import SingletonMeta, YfData

    SingletonMeta._instances.clear()
    YfData.cache_get.cache_clear()


@pytest.fixture
def server() -> Iterator[YahooServer]:
    """The sample's tickers, on the day after their last session."""
    with YahooServer(list(sample().values()), SATURDAY) as server:
        yield server


@pytest.fixture
def kit(server: YahooServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """The `yahoo` source of this test is the real one, with a session to the server and short waits."""
    made = Kit(server, tmp_path)
    assert "yahoo" in SOURCES
    monkeypatch.setitem(SOURCES._members, "yahoo", made.source)
    return made
