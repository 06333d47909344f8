"""Tables that fit: on a narrow screen columns are dropped rather than words or figures broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from forecaster.printable import printable

Columns = Mapping[str, Sequence[str | Text]]
"""Name → texts, one per row."""

_APART = 2


def taken(columns: Columns) -> int:
    """Width of a table in characters."""
    return sum(_APART + max(map(len, (name, *texts))) for name, texts in columns.items()) - _APART


def fitting(columns: Columns, width: int, spared: Sequence[str]) -> Columns:
    """What fits into `width`: the `spared` columns are dropped in this order until it does."""
    left = dict(columns)
    for name in spared:
        if taken(left) > width:
            left.pop(name, None)
    return left


def table(columns: Columns, left: Collection[str], folded: Collection[str] = (), styles: Sequence[str] = ()) -> Table:
    """A table with a header and no lines.

    Args:
        left: columns of words; the others hold figures and are right-aligned.
        folded: columns that may wrap where the table is too wide.
        styles: one per row.
    """
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        stands: Literal["left", "right"] = "left" if name in left else "right"
        made.add_column(name, justify=stands, no_wrap=name not in folded, overflow="fold")
    for place, row in enumerate(zip(*columns.values(), strict=True)):
        cells = (Text(printable(cell)) if isinstance(cell, str) else cell for cell in row)
        made.add_row(*cells, style=styles[place] if styles else "")
    return made


@dataclass(frozen=True)
class Sparing:
    """A table that adapts to the width available.

    Args:
        spared: columns to drop, in this order; the other arguments as in `table`.
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
    """Name and value pairs: as one row where it fits, else one pair per line."""

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
            pairs.add_row(name, Text(printable(value)))
        yield pairs


def by_column(names: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Columns:
    """Rows transposed into columns."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
