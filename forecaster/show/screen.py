"""Line width: the terminal's, wrapped at words; in a pipe or a file lines are never wrapped.

grep on a log needs a message on one line; a reader at a screen needs whole words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from forecaster.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

Stream = Any
"""`sys.stdout`, or its replacement, which may not be a full `TextIO`."""

PLAIN = 80
"""Columns of a terminal of unknown width, and of drawings in a pipe or a file."""

ENDLESS = 100_000
"""Columns of a pipe or a file."""


def columns(stream: Stream, asked: bool = False) -> int:
    """Columns of a line on this stream.

    Args:
        asked: respect `$COLUMNS` in a pipe too, as `ls` and `git` do; a terminal always does.
    """
    wanted = os.environ.get("COLUMNS", "")
    terminal = _size(stream)
    if wanted.isdigit() and int(wanted) and (terminal or asked):
        return int(wanted)
    return (terminal.columns or PLAIN) if terminal else ENDLESS


def drawn(width: int) -> int:
    """Columns of a drawing where lines may have `width`."""
    return PLAIN if width >= ENDLESS else width


def fitted(text: str, stream: Stream) -> str:
    """A message for the stream: printable, and wrapped at words on a terminal, else on one line."""
    width, text = columns(stream), printable(text)
    if len(text) <= width:
        return text
    import textwrap

    return textwrap.fill(text, width, break_on_hyphens=False)


def console(stream: Stream, asked: bool = False, **more: Any) -> Console:
    """rich's console on a stream, with the width of `columns`; text is shown as it is, and made printable.

    Neither numbers nor square brackets nor colons mean anything to it: names from files may hold all of them.

    Args:
        more: further arguments of rich's constructor.
    """
    from rich.console import Console
    from rich.segment import Segment

    class Plain(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            # All that is drawn comes through here, before it is measured; rich itself lets ESC through.
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else printable(text, keep="\n"), style, control)

        def on_broken_pipe(self) -> None:
            raise  # rich's own handler would exit

    terminal = _size(stream)
    height = (terminal.lines if terminal else 0) or 25  # rich respects a width only together with a height
    plain: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    return Plain(file=stream, width=columns(stream, asked), height=height, **plain, **more)


def moves(stream: Stream) -> bool:
    """Whether output can be redrawn: on a terminal that is not a dumb one."""
    return _size(stream) is not None and os.environ.get("TERM") not in ("dumb", "unknown")


def same_place(one: Stream, other: Stream) -> bool:
    """Whether two streams end on the same terminal, or in the same file or pipe."""
    try:
        first, second = os.fstat(one.fileno()), os.fstat(other.fileno())
    except (AttributeError, ValueError, OSError):
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _size(stream: Stream) -> os.terminal_size | None:
    """Size of a terminal, 0 where unknown; None for anything else."""
    try:
        return os.get_terminal_size(stream.fileno()) if stream.isatty() else None
    except (AttributeError, ValueError, OSError):
        return None
