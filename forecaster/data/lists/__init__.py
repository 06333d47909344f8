"""Predefined ticker lists: text files whose first lines state the index and the date of the membership."""

from __future__ import annotations

from importlib.resources import files

from forecaster.errors import UnknownNameError


def names() -> tuple[str, ...]:
    """Names of all predefined lists, sorted."""
    found = (item.name for item in files(__name__).iterdir() if item.name.endswith(".txt"))
    return tuple(sorted(name.removesuffix(".txt") for name in found))


def read(name: str) -> tuple[str, ...]:
    """The symbols of a predefined list.

    Raises:
        UnknownNameError: there is no such list.
    """
    if name not in names():
        raise UnknownNameError("ready list", name, names())
    return parse(files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[str, ...]:
    """Symbols in a text, separated by line breaks, commas or spaces; text after # is a comment."""
    bare = (line.partition("#")[0].replace(",", " ") for line in text.splitlines())
    return tuple(symbol for line in bare for symbol in line.split())
