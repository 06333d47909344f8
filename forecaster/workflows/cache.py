"""The cache beside a store: features of large stores, which can be computed again at any time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forecaster.features import cache
from forecaster.mapped import cache_of


@dataclass(frozen=True)
class CacheState:
    """What the cache holds, or held before it was cleared.

    Args:
        entries: one for each set of candles and feature groups.
    """

    folder: str
    entries: int
    bytes: int
    cleared: bool = False


def feature_cache(data_dir: Path | str = "data/store", *, clear: bool = False) -> CacheState:
    """Measures the cache of a store, and deletes it if asked to.

    Raises:
        OutsideError: it cannot be deleted.
    """
    place = cache_of(data_dir)
    found = cache.entries(place)
    if clear:
        cache.clear(place)
    return CacheState(str(place), len(found), sum(one.bytes for one in found), clear)
