"""Yahoo Finance through the yfinance client, plus what it lacks: retries with backoff, validation, clear errors.

source    worker threads, retries, one delivery per ticker
├── update    incremental updates; detects histories rewritten by a split, a dividend or a revision
├── rows      response → raw rows: checks the symbol, drops unfinished candles
│   └── places    Yahoo's exchange codes → calendars
├── pacing    rate limiting shared by all workers
└── client    the real yfinance, with its log lines captured
    ├── faults    errors, their messages, and whether to retry
    └── cache     yfinance's cache folder, reset when damaged
"""

from __future__ import annotations

from forecaster.data.sources import SOURCES, Source, SourceOptions, takes
from forecaster.data.sources.yahoo.source import YahooSource


@SOURCES.register("yahoo")
@takes("workers", "session")
def yahoo(options: SourceOptions) -> Source:
    """Daily candles of everything listed by Yahoo Finance."""
    return YahooSource(options)
