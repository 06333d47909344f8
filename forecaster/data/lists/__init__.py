"""Ready lists of tickers, each a text file whose first lines say whose members these are and since when."""

from __future__ import annotations

from importlib.resources import files

from forecaster.errors import UnknownNameError


def names() -> tuple[str, ...]:
    """All ready lists, in alphabetical order."""
    found = (item.name for item in files(__name__).iterdir() if item.name.endswith(".txt"))
    return tuple(sorted(name.removesuffix(".txt") for name in found))


def read(name: str) -> tuple[str, ...]:
    """The symbols of a ready list.

    Raises:
        UnknownNameError: there is no such list.
    """
    if name not in names():
        raise UnknownNameError("ready list", name, names())
    return parse(files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8"))


def parse(text: str) -> tuple[str, ...]:
    """The symbols of a text, one a line or several with commas or spaces between; what follows a # is a remark."""
    bare = (line.partition("#")[0].replace(",", " ") for line in text.splitlines())
    return tuple(symbol for line in bare for symbol in line.split())
