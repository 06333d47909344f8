"""How a text of candles is laid out: which separator, which line is the header, which columns without one."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecaster.data.sources.columns import REQUIRED, choose, meaning
from forecaster.data.sources.wide import is_wide
from forecaster.errors import DataError

TOP = 60
"""Lines in which a header is looked for."""

SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"^[\s$€£¥]*[-+]?\d[\d.,']*(?:[eE][-+]?\d+)?\s*[KMB%]?$")
_EPOCH = re.compile(r"^-?\d{9,19}(?:\.\d+)?$")
_DATE = re.compile(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\b|^[12]\d{7}\b|^\d{1,2}[- ][A-Za-z]{3}")
_CLOCK = re.compile(r"^\d{1,2}:\d{2}(?::\d{2})?$")
_PRICES = ["open", "high", "low", "close"]


@dataclass(frozen=True)
class Layout:
    """How a text is written.

    Args:
        header: lines before the first candle, the header included.
        names: of the columns.
        wide: where tickers stand side by side, the two rows of names above.
    """

    separator: str
    header: int
    names: tuple[str, ...]
    wide: tuple[Sequence[str], Sequence[str]] | None = None

    @property
    def comma(self) -> bool:
        """Whether a comma is the likelier decimal mark: whoever separates by semicolons writes it so."""
        return self.separator == ";"


def find_layout(lines: Sequence[str], said: Mapping[str, str]) -> Layout:
    """Separator and header of a text by its first lines.

    Raises:
        DataError: no line is a header; or two columns mean the same.
    """
    first = next(at for at, line in enumerate(lines) if line.strip())
    excel = re.fullmatch(r'"?sep=(.|\\t)"?', lines[first].strip(), re.IGNORECASE)  # Excel's own line
    if excel:
        first += 1
    separators = [excel.group(1).replace("\\t", "\t")] if excel else list(SEPARATORS)
    tables = {one: [cells_of(line, one) for line in lines] for one in separators}
    for layout in (_named(tables, first, said), _side_by_side(tables, first), _nameless(tables, first)):
        if layout is not None:
            return layout
    return _nearest(tables, first, lines, said)


def _named(tables: Mapping[str, list[list[str]]], first: int, said: Mapping[str, str]) -> Layout | None:
    """By the first line that has a date and the four prices among its cells."""
    best = None
    for separator, rows in tables.items():
        at = next((at for at in range(first, len(rows)) if required(rows[at], said) == len(REQUIRED)), None)
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
    """Binance, ccxt and MetaTrader 4 write candles without a header."""
    for separator, rows in tables.items():
        names = _positions(rows[first])
        if names:
            return Layout(separator, first, names)
    return None


def _positions(cells: Sequence[str]) -> tuple[str, ...]:
    """The columns of a candle without names, in the one order that everybody writes; empty where it is none."""
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
    tables: Mapping[str, list[list[str]]], first: int, lines: Sequence[str], said: Mapping[str, str]
) -> Layout:
    """The line that looks most like a header, for a message on what it lacks.

    Raises:
        DataError: none looks like one.
    """
    places = [(separator, at) for separator, rows in tables.items() for at in range(first, len(rows))]
    separator, at = max(places, key=lambda place: (required(tables[place[0]][place[1]], said), -place[1]))
    if required(tables[separator][at], said) < 2:
        raise DataError(
            f"line {first + 1} is {lines[first].strip()[:60]!r}, expected a header row with a date and four prices, "
            "such as Date,Open,High,Low,Close,Volume; if it is one, name its columns: --column date=NAME and so on."
        )
    return Layout(separator, at + 1, _unnamed(tables[separator][at]))


def cells_of(line: str, separator: str) -> list[str]:
    return [
        cell.strip()
        for cell in next(csv.reader([line.replace("\0", "")], delimiter=separator, skipinitialspace=True), [])
    ]


def required(cells: Sequence[str], said: Mapping[str, str]) -> int:
    """How many of the columns that there must be a line names."""
    if len(cells) < 2:
        return 0
    names = _unnamed(cells)
    wanted = {field: name for field, name in said.items() if name in names}
    try:
        return len(choose(names, wanted).keys() & set(REQUIRED))
    except DataError:  # two of a kind: a header that will be refused with the reason
        return len({meaning(name) for name in names} & set(REQUIRED))


def _unnamed(cells: Sequence[str]) -> tuple[str, ...]:
    """The first column of a CSV that pandas wrote with a nameless index."""
    return tuple("Unnamed: 0" if at == 0 and not name else name for at, name in enumerate(cells))
