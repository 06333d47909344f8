"""Yahoo Finance through the yfinance client, with what that client leaves to its users: patience, truth, and no losses.

source    workers, one delivery a ticker
├── update    ask only for what is new; notice what a split, a dividend or a revision changed
├── rows      an answer → raw rows: the right symbol, no unfinished candle
│   └── places    Yahoo's exchange codes → calendars
├── pacing    one rhythm and one pause for all workers
└── client    the real yfinance, its log lines taken
    ├── faults    what went wrong, in words, and whether to ask again
    └── cache     its cache folder, which heals itself
"""

from __future__ import annotations

from forecaster.data.sources import SOURCES, Source, SourceOptions, takes
from forecaster.data.sources.yahoo.source import YahooSource


@SOURCES.register("yahoo")
@takes("workers", "session")
def yahoo(options: SourceOptions) -> Source:
    """Daily candles of whatever Yahoo Finance lists."""
    return YahooSource(options)
