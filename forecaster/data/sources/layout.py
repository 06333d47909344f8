"""Layout of a text file: separator, header line, and column names if there is no header."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecaster.data.sources.columns import REQUIRED, choose, meaning
from forecaster.data.sources.wide import is_wide
from forecaster.errors import DataError

TOP = 60
"""Number of lines searched for a header."""

SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"^[\s$€£¥]*[-+]?\d[\d.,']*(?:[eE][-+]?\d+)?\s*[KMB%]?$")
_EPOCH = re.compile(r"^-?\d{9,19}(?:\.\d+)?$")
_DATE = re.compile(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b|^[12]\d{7}\b|^\d{1,2}[- ][A-Za-z]{3}")
_CLOCK = re.compile(r"^\d{1,2}:\d{2}(?::\d{2})?$")
_PRICES = ["open", "high", "low", "close"]


@dataclass(frozen=True)
class Layout:
    """Layout of a text file.

    Args:
        header: number of lines before the first candle, including the header.
        names: column names.
        wide: the two header rows of a wide table (tickers side by side).
    """

    separator: str
    header: int
    names: tuple[str, ...]
    wide: tuple[Sequence[str], Sequence[str]] | None = None

    @property
    def comma(self) -> bool:
        """Whether a comma is the likely decimal mark: usual in files separated by semicolons."""
        return self.separator == ";"


def find_layout(lines: Sequence[str], overrides: Mapping[str, str]) -> Layout:
    """Detect separator and header from the first lines.

    Raises:
        DataError: no header line, or two columns are the same field.
    """
    first = next(at for at, line in enumerate(lines) if line.strip())
    excel = re.fullmatch(r'"?sep=(.|\\t)"?', lines[first].strip(), re.IGNORECASE)  # Excel's separator line
    if excel:
        first += 1
    separators = [excel.group(1).replace("\\t", "\t")] if excel else list(SEPARATORS)
    tables = {one: [cells_of(line, one) for line in lines] for one in separators}
    for layout in (_named(tables, first, overrides), _side_by_side(tables, first), _nameless(tables, first)):
        if layout is not None:
            return layout
    return _nearest(tables, first, lines, overrides)


def _named(tables: Mapping[str, list[list[str]]], first: int, overrides: Mapping[str, str]) -> Layout | None:
    """Header: the first line with a date and the four prices among its cells."""
    best = None
    for separator, rows in tables.items():
        at = next((at for at in range(first, len(rows)) if count_required(rows[at], overrides) == len(REQUIRED)), None)
        if at is not None and (best is None or at < best.header - 1):
            best = Layout(separator, at + 1, _unnamed(rows[at]))
    return best


def _side_by_side(tables: Mapping[str, list[list[str]]], first: int) -> Layout | None:
    for separator, rows in tables.items():
        if len(rows) > first + 2 and is_wide(rows[first : first + 3]):
            upper, lower = rows[first][1:], rows[first + 1][1:]
            names = tuple(str(at) for at in range(len(upper) + 1))
            return Layout(separator, first + 3, names, (upper, lower))
    return None


def _nameless(tables: Mapping[str, list[list[str]]], first: int) -> Layout | None:
    """No header, as written by Binance, ccxt and MetaTrader 4."""
    for separator, rows in tables.items():
        names = _positions(rows[first])
        if names:
            return Layout(separator, first, names)
    return None


def _positions(cells: Sequence[str]) -> tuple[str, ...]:
    """Column names of a headerless candle in the customary order; empty if the cells are not a candle."""
    cells = list(cells)
    while cells and not cells[-1].strip():
        cells.pop()
    before = []
    if len(cells) > 5 and _DATE.match(cells[1]) and not _NUMBER.match(cells[0]) and not _DATE.match(cells[0]):
        before, cells = ["ticker"], cells[1:]
    if not cells or not (_EPOCH.match(cells[0]) or _DATE.match(cells[0])):
        return ()
    epoch = bool(_EPOCH.match(cells[0])) and not _DATE.match(cells[0])
    names = ["date", *(["time"] if len(cells) > 5 and _CLOCK.match(cells[1]) else []), *_PRICES, "volume"]
    if len(cells) < len(names) - 1 or not all(_NUMBER.match(cell) for cell in cells[len(names) - 5 :]):
        return ()
    if len(cells) > len(names) and not epoch:
        return ()  # seven columns may be Yahoo's with adjusted closes, or something else
    names += [f"unnamed {at}" for at in range(len(cells) - len(names))]
    return (*before, *names[: len(cells)])


def _nearest(
    tables: Mapping[str, list[list[str]]], first: int, lines: Sequence[str], overrides: Mapping[str, str]
) -> Layout:
    """The line most similar to a header, to report what it lacks.

    Raises:
        DataError: no line is similar to a header.
    """
    places = [(separator, at) for separator, rows in tables.items() for at in range(first, len(rows))]
    # On a tie the upper line.
    separator, at = max(places, key=lambda place: (count_required(tables[place[0]][place[1]], overrides), -place[1]))
    if count_required(tables[separator][at], overrides) < 2:
        raise DataError(
            f"line {first + 1} is {lines[first].strip()[:60]!r}, expected a header row with a date and four prices, "
            "such as Date,Open,High,Low,Close,Volume; if it is one, name its columns with --column date=NAME etc."
        )
    return Layout(separator, at + 1, _unnamed(tables[separator][at]))


def cells_of(line: str, separator: str) -> list[str]:
    return [
        cell.strip()
        for cell in next(csv.reader([line.replace("\0", "")], delimiter=separator, skipinitialspace=True), [])
    ]


def count_required(cells: Sequence[str], overrides: Mapping[str, str]) -> int:
    """How many of the `REQUIRED` columns a line names."""
    if len(cells) < 2:
        return 0
    names = _unnamed(cells)
    wanted = {field: name for field, name in overrides.items() if name in names}
    try:
        return len(choose(names, wanted).keys() & set(REQUIRED))
    except DataError:  # duplicates: a header, which is rejected later with a message
        return len({meaning(name) for name in names} & set(REQUIRED))


def _unnamed(cells: Sequence[str]) -> tuple[str, ...]:
    """Name an empty first cell like pandas does: a CSV written with an unnamed index."""
    return tuple("Unnamed: 0" if at == 0 and not name else name for at, name in enumerate(cells))
