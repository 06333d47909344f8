"""The installed version, and the error for files written by a newer one."""

from __future__ import annotations

import re

from forecaster.errors import NewerFileError

DISTRIBUTION = "stock-forecaster"
"""The name that pip knows the package by."""


def installed_version() -> str:
    """Version of the installed package; empty if it is only on `sys.path`."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return ""


def is_newer(version: object) -> bool:
    """Whether a file's version is newer than this one; False if either is unknown."""
    own = installed_version()
    return bool(own) and isinstance(version, str) and _numbers(version) > _numbers(own)


def newer_file(what: str, version: object, remedy: str) -> NewerFileError:
    """The error for an intact file of another version.

    Args:
        what: the file.
        version: the version stored in it, if any.
        remedy: an alternative to updating.
    """
    by = f"forecaster {version}" if is_newer(version) else "a newer version of forecaster"
    own = installed_version() or "an older one"
    return NewerFileError(f"{what} was made by {by}, this is {own}: update, or {remedy}.")


def _numbers(version: str) -> tuple[int, ...]:
    """`0.2.0.dev1` → (0, 2): comparable release numbers without trailing zeros."""
    digits = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in digits.group().split(".")] if digits else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
