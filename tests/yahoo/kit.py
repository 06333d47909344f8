"""A store, a server and the real source in one hand, with waits that suit a test."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.sources import SourceOptions
from forecaster.data.sources.yahoo.pacing import RetrySettings
from forecaster.data.sources.yahoo.source import YahooSource
from forecaster.data.store import Store
from forecaster.workflows.fetch import Fetched, fetch
from tests.damage import damaged
from tests.yahoo.server import Listing, YahooServer, session

SATURDAY = dt.datetime(2013, 3, 2, 12, tzinfo=dt.UTC)
"""The day after the sample's last session."""

QUICK = RetrySettings(
    first_wait=0.01, longest_wait=0.05, spacing=0.0, first_pause=0.02, longest_pause=0.1, timeout=120.0
)
"""Waits that suit a test; an answer is waited for as long as a busy machine may take for it."""


class Kit:
    """One server and one store; `fetch` is the workflow with the real client against the server."""

    def __init__(
        self,
        server: YahooServer,
        folder: Path,
        retry_settings: RetrySettings = QUICK,
        make_session: Callable[[int], Any] = session,
    ) -> None:
        self.server = server
        self.store = Store(folder / "store")
        self.cache = folder / "cache"
        self.retry_settings = retry_settings
        self.said: list[str] = []
        self._session = make_session(server.port)

    def source(self, options: SourceOptions) -> YahooSource:
        """The real source, which meets the server by its session only."""
        with_session = dataclasses.replace(options, session=self._session)
        return YahooSource(
            with_session, retry_settings=self.retry_settings, folder=self.cache, now=lambda: self.server.now
        )

    def fetch(self, *tickers: str, workers: int = 4, **wishes: Any) -> dict[str, Fetched]:
        """Outcomes by ticker."""
        options = SourceOptions(workers=workers)
        done = fetch(tickers, data_dir=self.store.root, options=options, say=self.said.append, **wishes)
        return {outcome.ticker: outcome for outcome in done}

    def matches(self, listing: Listing) -> bool:
        """Whether the store holds what the server lists, value for value."""
        return same(self.store.checked(listing.symbol), listing)

    def bytes(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the store with its time of change."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in sorted(self.store.root.glob("*.parquet"))
        }

    def sound(self) -> bool:
        """Whether every file verifies and nothing half-written lies about."""
        return not damaged(self.store) and not list(self.store.root.glob(".*.part"))


def same(bars: Bars, listing: Listing) -> bool:
    """Equality of every price, volume, dividend and split."""
    events = {"dividend": (listing.dividends, 0.0), "split": (listing.splits, 1.0)}
    for name, (by_date, none) in events.items():
        expected = np.array([by_date.get(str(date), none) for date in listing.dates])
        if not np.array_equal(getattr(bars, name), expected):
            return False
    columns = ("dates", "open", "high", "low", "close", "adj_close", "volume")
    return all(np.array_equal(getattr(bars, name), getattr(listing, name)) for name in columns)


def names(listings: Sequence[Listing]) -> list[str]:
    """Their symbols."""
    return [listing.symbol for listing in listings]
