"""Tables that fit: a narrow screen goes without some columns rather than break words or figures in two."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions
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


def table(columns: Columns, left: Collection[str], folded: Collection[str] = (), styles: Sequence[str] = ()) -> Table:
    """A table with a header and no lines.

    Args:
        left: columns of words; the others hold figures and stand right.
        folded: columns that may break where all else is too wide.
        styles: of the rows.
    """
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        stands: Literal["left", "right"] = "left" if name in left else "right"
        made.add_column(name, justify=stands, no_wrap=name not in folded, overflow="fold")
    for place, row in enumerate(zip(*columns.values(), strict=True)):
        cells = (Text(cell) if isinstance(cell, str) else cell for cell in row)
        made.add_row(*cells, style=styles[place] if styles else "")
    return made


@dataclass(frozen=True)
class Sparing:
    """A table that takes what width there is.

    Args:
        spared: columns to go without, in this order; the others as in `table`.
    """

    columns: Columns
    left: Collection[str]
    spared: Sequence[str] = ()
    folded: Collection[str] = ()
    styles: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        yield table(fitting(self.columns, options.max_width, self.spared), self.left, self.folded, self.styles)


@dataclass(frozen=True)
class Facts:
    """One row: beside each other where they fit, else one under the other."""

    facts: Mapping[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        columns = {name: [value] for name, value in self.facts.items()}
        if taken(columns) <= options.max_width:
            yield table(columns, left=columns)
            return
        pairs = Table(box=None, pad_edge=False, show_header=False)
        pairs.add_column(style="bold", no_wrap=True)
        pairs.add_column(overflow="fold")
        for name, value in self.facts.items():
            pairs.add_row(name, Text(value))
        yield pairs


def by_column(names: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Columns:
    """Rows turned into columns."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
