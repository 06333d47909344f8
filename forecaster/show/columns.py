"""Tables that fit: a narrow screen goes without some columns rather than break words or figures in two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from rich.table import Table
from rich.text import Text

Columns = Mapping[str, Sequence[str | Text]]
"""Name → texts, one a row."""

_APART = 2


def taken(columns: Columns) -> int:
    """Columns of the screen that a table takes."""
    return sum(_APART + max(map(len, (name, *texts))) for name, texts in columns.items()) - _APART


def fitting(columns: Columns, width: int, spared: Sequence[str]) -> Columns:
    """What fits into `width`: columns are spared one after the other, in this order, as long as it is too wide."""
    left = dict(columns)
    for name in spared:
        if taken(left) > width:
            left.pop(name, None)
    return left


def table(columns: Columns, left: Collection[str], folded: Collection[str] = (), style: Sequence[str] = ()) -> Table:
    """A table with a header and no lines.

    Args:
        left: columns of words; the others hold figures and stand right.
        folded: columns that may break where all else is too wide.
        style: of each row.
    """
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        stands: Literal["left", "right"] = "left" if name in left else "right"
        made.add_column(name, justify=stands, no_wrap=name not in folded, overflow="fold")
    for place, row in enumerate(zip(*columns.values(), strict=True)):
        made.add_row(
            *(Text(cell) if isinstance(cell, str) else cell for cell in row), style=style[place] if style else ""
        )
    return made
