"""Which release this is, and files that a newer one wrote."""

from __future__ import annotations

import re

from forecaster.errors import NewerFileError


def here() -> str:
    """Version of the installed package; empty where it only lies on the path."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("forecaster")
    except PackageNotFoundError:
        return ""


def is_newer(version: object) -> bool:
    """Whether a version that a file names comes after this one; False where either cannot tell."""
    own = here()
    return bool(own) and isinstance(version, str) and _numbers(version) > _numbers(own)


def newer_file(what: str, version: object, remedy: str) -> NewerFileError:
    """The error for a file that is whole but not of this version.

    Args:
        what: which file.
        version: that it names, if it does.
        remedy: what else than an update would do.
    """
    by = f"forecaster {version}" if is_newer(version) else "a newer version of forecaster"
    return NewerFileError(f"{what} was made by {by}, this is {here() or 'an older one'}: update, or {remedy}.")


def _numbers(version: str) -> tuple[int, ...]:
    """(0, 2) of `0.2.0.dev1`: what orders releases."""
    digits = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in digits.group().split(".")] if digits else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
