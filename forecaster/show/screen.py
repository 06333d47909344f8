"""How wide a line may be: as wide as the terminal, by whole words; in a pipe or a file it is never broken.

Whoever greps a log wants a sentence on one line, whoever looks at a screen wants no word cut in two.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

Stream = Any
"""`sys.stdout`, or what stands in its place: not all of those are `TextIO` to the letter."""

PLAIN = 80
"""Columns of a terminal that does not tell, and of what is drawn where lines have no end."""

ENDLESS = 100_000
"""Columns of a pipe or a file."""


def columns(stream: Stream, asked: bool = False) -> int:
    """How many columns a line on this stream may have.

    Args:
        asked: heed `$COLUMNS` in a pipe too, as `ls` and `git` do; a terminal always heeds it.
    """
    wanted = os.environ.get("COLUMNS", "")
    terminal = _size(stream)
    if wanted.isdigit() and int(wanted) and (terminal or asked):
        return int(wanted)
    return (terminal.columns or PLAIN) if terminal else ENDLESS


def drawn(width: int) -> int:
    """Columns for a picture where lines may have `width`."""
    return PLAIN if width >= ENDLESS else width


def fitted(text: str, stream: Stream) -> str:
    """A sentence as the stream shows it best: broken between words, and only on a terminal."""
    width = columns(stream)
    if len(text) <= width:
        return text
    import textwrap

    return textwrap.fill(text, width, break_on_hyphens=False)


def console(stream: Stream, asked: bool = False, **more: Any) -> Console:
    """rich's console on a stream, as wide as `columns` says; it takes no number in a sentence for something to colour.

    Args:
        more: what else rich's constructor takes.
    """
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # rich's own would end the program

    terminal = _size(stream)
    height = (terminal.lines if terminal else 0) or 25  # rich takes a width of ours only together with a height
    return Plain(file=stream, width=columns(stream, asked), height=height, highlight=False, **more)


def moves(stream: Stream) -> bool:
    """Whether what was written can be drawn over: on a terminal that is not a dumb one."""
    return _size(stream) is not None and os.environ.get("TERM") not in ("dumb", "unknown")


def _size(stream: Stream) -> os.terminal_size | None:
    """Of a terminal, 0 where it does not tell; None for anything else."""
    try:
        return os.get_terminal_size(stream.fileno()) if stream.isatty() else None
    except (AttributeError, ValueError, OSError):
        return None
