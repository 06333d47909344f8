"""The client's cache folder: our own, thrown away when it is damaged, and none where the user has no home."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from forecaster.files import cache_folder, home_for_imports

_NOWHERE = Path(os.devnull) / "none"
"""A folder that cannot exist: the client keeps nothing where it finds no folder to keep it in."""


def import_client() -> Any:
    """yfinance, even for a user without a home."""
    with home_for_imports():
        import yfinance
    return yfinance


def default_folder() -> Path:
    """Beside the user's other caches, apart from what other programs let the client keep."""
    folder = cache_folder()
    return _NOWHERE if folder is None else folder / "yfinance"


def use(folder: Path) -> None:
    """Make the client keep its cookie in `folder` from now on; where that can't be written it keeps none."""
    import yfinance

    yfinance.set_tz_cache_location(str(folder))
    _forget_open_files()


def heal(folder: Path) -> None:
    """Throw the folder's files away: a stored cookie without its A3 part, or a corrupt file, would fail for ever."""
    use(folder)
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)


def use_none() -> None:
    """Make the client keep nothing."""
    use(_NOWHERE)


def forget_answers() -> None:
    """Drop the client's remembered answers: it remembers bad ones too, and then a retry would send nothing."""
    from yfinance.data import YfData

    YfData.cache_get.cache_clear()


def _forget_open_files() -> None:
    """The client keeps each database open in an object that no public call renews."""
    from yfinance import cache

    places: tuple[tuple[Any, str], ...] = (
        (getattr(cache, "_TzCacheManager", None), "_tz_cache"),
        (getattr(cache, "_CookieCacheManager", None), "_Cookie_cache"),
        (getattr(cache, "_ISINCacheManager", None), "_isin_cache"),
    )
    for manager, name in places:
        if hasattr(manager, name):
            setattr(manager, name, None)
