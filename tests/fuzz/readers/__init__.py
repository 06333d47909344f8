"""All readers that are fuzzed, by name."""

from __future__ import annotations

from tests.fuzz.base import Base, Feed
from tests.fuzz.readers import caches, models, records, tables, words, yahoo


def readers(base: Base) -> dict[str, Feed]:
    """Name → function that writes one mutated input and returns what reads it."""
    found: dict[str, Feed] = {}
    for module in (tables, words, models, records, caches, yahoo):
        found |= module.feeds(base)
    return found
