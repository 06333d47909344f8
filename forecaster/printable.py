r"""Foreign text made safe to show: what a terminal would act on, or an eye would not see, becomes an escape.

Whatever comes from a file, a server or an argument may hold control characters (C0, C1, ESC) or characters that turn
the direction of writing. Everything that is printed passes through `printable`, in one place a stream.
"""

from __future__ import annotations

import unicodedata

MOST = 80
"""Characters of a foreign value that a message quotes."""


def printable(text: str, keep: str = "") -> str:
    r"""The text with escapes for all that is not printed: ESC becomes `\x1b`, a right-to-left override `\u202e`.

    Args:
        keep: characters that stay, such as a line break.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter in keep or _is_plain(letter) else ascii(letter)[1:-1] for letter in text)


def quoted(value: object, most: int = MOST) -> str:
    """A foreign value as it stands in a message: in quotes, on one line, and cut."""
    # Cut before `repr`, which would first copy a text of any length.
    text = repr(value[: most + 1] if isinstance(value, str) else value)
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def _is_plain(letter: str) -> bool:
    # A no-break space counts as not printable, but does no harm.
    return letter.isprintable() or unicodedata.category(letter) == "Zs"
