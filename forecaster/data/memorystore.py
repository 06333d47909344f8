"""Candles in memory above those of a store: what is given for one forecast, such as a DataFrame, is never written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from forecaster.data.bars import Bars
from forecaster.data.store import Store


class MemoryStore(Store):
    """A store of given candles; tickers that are not among them are read from the folder, where it exists.

    Args:
        given: candles by ticker.
    """

    def __init__(self, given: Mapping[str, Bars], root: Path | str) -> None:
        super().__init__(root)
        self.given = given

    def tickers(self) -> tuple[str, ...]:
        """All tickers, sorted."""
        return tuple(sorted({*self.given, *super().tickers()}))

    def holds(self, ticker: str) -> bool:
        """Whether a ticker is here."""
        return ticker in self.given or super().holds(ticker)

    def is_empty(self) -> bool:
        """Whether no ticker is here."""
        return not self.given and super().is_empty()

    def require(self, tickers: Sequence[str]) -> tuple[str, ...]:
        """Return `tickers` if all of them are here, as `Store.require`."""
        super().require([ticker for ticker in tickers if ticker not in self.given])
        return tuple(tickers)

    def read(self, ticker: str) -> Bars:
        """The candles of a ticker, as `Store.read`."""
        return self.given[ticker] if ticker in self.given else super().read(ticker)
