"""ASCII replacements for marks that a stream's encoding lacks, instead of question marks."""

from __future__ import annotations

import codecs

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("│╷╵", "|"),
        **dict.fromkeys("┃╽╿╻╹", "o"),
        **dict.fromkeys("█▄▀", "#"),
        **dict.fromkeys("─–—−", "-"),
        **dict.fromkeys("’‘", "'"),
        "┊": "!",
        "╋": "+",
        "░": ".",
        "▒": ":",
        "━": "=",
        "…": "...",
        "×": "x",
        "≤": "<=",
        "≥": ">=",
        "·": "*",
        "±": "+-",
    }
)

ERRORS = "forecaster.plain"
"""Name of the error handler, for `stream.reconfigure(errors=ERRORS)`."""


def plain(text: str) -> str:
    """The text in ASCII."""
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def _handle(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


codecs.register_error(ERRORS, _handle)
