"""yfinance's cache folder: our own, deleted when damaged, and disabled for users without a home folder."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from forecaster.places import cache_folder, home_for_imports

_NO_FOLDER = Path(os.devnull) / "none"
"""A folder that cannot exist: the client then caches nothing."""


def import_client() -> Any:
    """Import yfinance, even for users without a home folder."""
    with home_for_imports():
        import yfinance
    return yfinance


def default_folder() -> Path:
    """In the user's cache folder, separate from the cache of other programs that use yfinance."""
    folder = cache_folder()
    return _NO_FOLDER if folder is None else folder / "yfinance"


def set_folder(folder: Path) -> None:
    """Set the folder of the client's cookie cache; if it cannot be written, nothing is cached."""
    import yfinance

    yfinance.set_tz_cache_location(str(folder))
    _close_databases()


def reset(folder: Path) -> None:
    """Delete the cache: a stored cookie without its A3 part, or a corrupt file, would fail every request."""
    set_folder(folder)
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)


def disable() -> None:
    """Turn off the client's cache."""
    set_folder(_NO_FOLDER)


def clear_responses() -> None:
    """Clear the client's in-memory response cache: it also caches bad responses, so a retry would send no request."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()


def _close_databases() -> None:
    """Drop the client's cached database objects, which no public call renews."""
    from yfinance import cache

    places: tuple[tuple[Any, str], ...] = (
        (getattr(cache, "_TzCacheManager", None), "_tz_cache"),
        (getattr(cache, "_CookieCacheManager", None), "_Cookie_cache"),
        (getattr(cache, "_ISINCacheManager", None), "_isin_cache"),
    )
    for manager, name in places:
        if hasattr(manager, name):
            setattr(manager, name, None)
