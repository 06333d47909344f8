"""Ticker symbols, and their portable file names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from forecaster.errors import InputError
from forecaster.printable import quoted

_SYMBOL = re.compile(r"[A-Z0-9^$][A-Z0-9.^=_&+$~-]{0,31}")
_LONGEST = 1000
"""Characters that are looked at: no symbol, and no list of some, has more."""
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9]|LPT[0-9])(\..*)?")


def normalise(symbol: str) -> str:
    """Strip white space and convert to upper case.

    Raises:
        InputError: it is empty or has characters that no symbol has: white space, `/ ? #`, `..` and the like.
    """
    name = symbol[:_LONGEST].strip().upper()
    several = [part.strip() for part in re.split("[,;]", name) if part.strip()]
    if re.search("[,;]", name) and several and all(map(_SYMBOL.fullmatch, several)):
        raise InputError(
            f"{quoted(symbol)} is not a ticker symbol: separate tickers with spaces, as in {' '.join(several[:5])}."
        )
    if not _SYMBOL.fullmatch(name) or ".." in name or name.endswith("."):
        raise InputError(
            f"{quoted(symbol)} is not a ticker symbol: expected letters, digits and . - ^ = only, as in BRK-B."
        )
    return name


def normalise_all(symbols: str | Iterable[str]) -> tuple[str, ...]:
    """Unique symbols in their original order; a single string is one symbol."""
    given = [symbols] if isinstance(symbols, str) else symbols
    return tuple(dict.fromkeys(normalise(symbol) for symbol in given))


def file_stem(symbol: str) -> str:
    """Portable file name of a symbol: `^GSPC` → `%5EGSPC`; `CON`, reserved on Windows, → `%43ON`."""
    name = normalise(symbol)
    if _RESERVED.fullmatch(name):
        return f"%{ord(name[0]):02X}{quote(name[1:], safe='')}"
    return quote(name, safe="")


def symbol_of(stem: str) -> str:
    """Inverse of `file_stem`.

    Raises:
        InputError: `file_stem` does not produce this name.
    """
    symbol = unquote(stem)
    if file_stem(symbol) != stem:
        raise InputError(f"{stem!r} is not a file name of this store.")
    return symbol
