"""Ticker symbols, and file names that any file system takes for any symbol."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from forecaster.errors import InputError

_SYMBOL = re.compile(r"[A-Z0-9^$][A-Z0-9.^=_&+$~-]{0,31}")
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9]|LPT[0-9])(\..*)?")


def normalise(symbol: str) -> str:
    """Upper case without surrounding white space.

    Raises:
        InputError: it is empty or holds what no symbol has: white space, `/ ? #`, `..` and the like.
    """
    name = symbol.strip().upper()
    several = [part.strip() for part in re.split("[,;]", name) if part.strip()]
    if re.search("[,;]", name) and several and all(map(_SYMBOL.fullmatch, several)):
        raise InputError(f"{symbol!r} is not a ticker symbol: separate tickers with spaces, as in {' '.join(several)}.")
    if not _SYMBOL.fullmatch(name) or ".." in name or name.endswith("."):
        raise InputError(f"{symbol!r} is not a ticker symbol: expected letters, digits and . - ^ = only, as in BRK-B.")
    return name


def normalise_all(symbols: str | Iterable[str]) -> tuple[str, ...]:
    """Each symbol once, in the order first given; a single text is one symbol, not one for each letter."""
    given = [symbols] if isinstance(symbols, str) else symbols
    return tuple(dict.fromkeys(normalise(symbol) for symbol in given))


def file_stem(symbol: str) -> str:
    """A portable file name for a symbol: `^GSPC` → `%5EGSPC`, and `CON`, which Windows reserves, → `%43ON`."""
    name = normalise(symbol)
    if _RESERVED.fullmatch(name):
        return f"%{ord(name[0]):02X}{quote(name[1:], safe='')}"
    return quote(name, safe="")


def symbol_of(stem: str) -> str:
    """The symbol that `file_stem` wrote.

    Raises:
        InputError: the name was not written by `file_stem`.
    """
    symbol = unquote(stem)
    if file_stem(symbol) != stem:
        raise InputError(f"{stem!r} is not a file name of this store.")
    return symbol
