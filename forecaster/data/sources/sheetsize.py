"""How many cells the sheets of a workbook span, read off their XML before anything is made of it.

A sheet names its cells, and the rows and columns between them are filled: one cell in its last corner, a few bytes,
would become 17 billion cells.
"""

from __future__ import annotations

import contextlib
import zipfile
from typing import Any, BinaryIO
from xml.parsers import expat

from forecaster.data.sources.parts import limit_of
from forecaster.errors import DataError

_CELL = 8
"""Bytes of an empty cell in a table."""

_CHUNK = 1 << 16


def check_cells(book: BinaryIO, size: int) -> None:
    """Check what the sheets span together.

    Args:
        size: bytes of the workbook.

    Raises:
        DataError: more cells than a file of its size may have.
        zipfile.BadZipFile, expat.ExpatError: it is damaged.
    """
    most = limit_of(size) // _CELL
    with zipfile.ZipFile(book) as archive:
        for name in archive.namelist():  # a sheet may have any name
            span = _Span(most)
            # What is no XML is a picture, or will not be read as a sheet.
            no_xml = contextlib.nullcontext() if name.endswith(".xml") else contextlib.suppress(expat.ExpatError)
            with no_xml, archive.open(name) as member:
                span.read(member)
            most -= span.cells


class _Span:
    """Last row and column of a sheet's cells."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows = self._columns = self._row = self._column = 0

    @property
    def cells(self) -> int:
        return self._rows * self._columns

    def read(self, member: Any) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        while chunk := member.read(_CHUNK):
            parser.Parse(chunk)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind not in ("row", "c"):
            return
        place = attributes.get("r", "")
        letters = place.rstrip("0123456789")
        row = int(place[len(letters) :][:9] or 0)
        if kind == "row":
            self._row, self._column = row or self._row + 1, 0
        else:
            self._column = _number(letters) if letters else self._column + 1
        # A cell may name another row than the one that it stands in: which counts is not ours to say.
        self._rows, self._columns = max(self._rows, self._row, row), max(self._columns, self._column)
        if self.cells > self._most:
            raise DataError(
                f"a sheet spans {self._rows:,} rows and {self._columns:,} columns, expected {self._most:,} cells at "
                "most: save it as CSV."
            )


def _number(letters: str) -> int:
    """`A` → 1, `Z` → 26, `AA` → 27."""
    number = 0
    for letter in letters.upper()[:4]:
        number = 26 * number + max(ord(letter) - ord("A") + 1, 0)
    return number
