"""Where files are that no option names: the user's cache, and what ships with the package."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def cache_folder() -> Path | None:
    """The user's cache folder for this program; None if the user has no home folder.

    A container whose user id has no passwd entry has no home; an empty or relative `HOME` does not count as one. In
    these cases older versions of platformdirs return a relative path, newer ones raise.
    """
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("forecaster"))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


@contextlib.contextmanager
def home_for_imports() -> Iterator[None]:
    """Set `HOME` to a path that cannot exist while importing, if the user has no home folder.

    yfinance fails to import without one.
    """
    if cache_folder() is not None:
        yield
        return
    before = os.environ.get("HOME")
    os.environ["HOME"] = os.devnull
    try:
        yield
    finally:
        del os.environ["HOME"]
        if before is not None:
            os.environ["HOME"] = before


def shipped(kind: str) -> Path:
    """The folder of shipped files of a kind: `configs`, `sample` or `models`.

    It is inside the package in an installed wheel, and at the top of the repository in a checkout.
    """
    package = Path(__file__).parent
    inside = package / "_shipped" / kind
    if inside.is_dir():
        return inside
    return package.parent / {"configs": "configs", "sample": "data/sample"}.get(kind, f"forecaster/_shipped/{kind}")
