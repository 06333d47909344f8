"""Which files of a store are damaged."""

from __future__ import annotations

from forecaster.data.store import Store
from forecaster.errors import DataError


def damaged(store: Store) -> list[str]:
    """The tickers whose file does not verify to the last value."""
    return [ticker for ticker in store.tickers() if not _sound(store, ticker)]


def _sound(store: Store, ticker: str) -> bool:
    try:
        store.checked(ticker)
    except DataError:
        return False
    return True
