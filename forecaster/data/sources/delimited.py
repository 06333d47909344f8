"""Text files of candles: which encoding, which separator, which line is the header."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecaster.data.sources.columns import REQUIRED, choose, meaning
from forecaster.data.sources.numbers import WORDS_FOR_NOTHING
from forecaster.data.sources.parts import Part
from forecaster.data.sources.wide import is_wide, to_long
from forecaster.errors import DataError

TOP = 60
"""Lines in which a header is looked for."""

_SEPARATORS = ",;\t|"
_ENCODINGS = ("gb18030", "cp949", "shift_jis", "big5")
_BINARY = re.compile("[\x00-\x08\x0e-\x1f]")
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


def read_delimited(part: Part, said: Mapping[str, str]) -> tuple[pd.DataFrame, bool]:
    """A text file as it is written, its index the line; and whether a comma is likely to be its decimal mark.

    Args:
        said: what the user says of columns, field → name.

    Raises:
        DataError: it is not text, is empty, or no line of it is a header.
        OSError and others of pandas: it cannot be read.
    """
    try:
        return _read(part, said, "utf-8-sig")
    except UnicodeDecodeError:
        return _read(part, said, _encoding(part, said))


def _read(part: Part, said: Mapping[str, str], encoding: str) -> tuple[pd.DataFrame, bool]:
    lines = _top(part, encoding)
    layout = find_layout(lines, said)
    frame = _body(part, layout, encoding, said)
    return (to_long(frame, *layout.wide) if layout.wide else frame), layout.comma


def _top(part: Part, encoding: str) -> list[str]:
    """The first lines.

    Raises:
        DataError: they are blank or no text.
    """
    with part.open() as raw:
        head = raw.read(3)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") and encoding == "utf-8-sig":
        raise UnicodeDecodeError("utf-8", head, 0, 1, "UTF-16")
    with part.open() as raw, io.TextIOWrapper(raw, encoding, errors=_errors(encoding)) as text:
        lines = [text.readline(100_000).rstrip("\r\n") for _ in range(TOP)]
    if not any(line.strip() for line in lines):
        raise DataError("it is empty, expected a CSV with a header row such as Date,Open,High,Low,Close,Volume.")
    if _BINARY.search("".join(lines)):
        raise DataError("it is not text, expected a CSV with a header row such as Date,Open,High,Low,Close,Volume.")
    return lines


def _encoding(part: Part, said: Mapping[str, str]) -> str:
    """Of a text that is not UTF-8: by its mark, by whether its header makes sense, else that of Western Windows.

    Digits are the same in all of them, so that a wrong guess can harm names only.
    """
    with part.open() as raw:
        head = raw.read(1 << 16)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in _ENCODINGS:
        lines = head.decode(encoding, errors="replace").splitlines()[:TOP]
        if any(
            _required(_cells(line, separator), said) == len(REQUIRED) for line in lines for separator in _SEPARATORS
        ):
            return encoding
    return "cp1252"


def _errors(encoding: str) -> str:
    return "strict" if encoding.startswith("utf") else "replace"


def find_layout(lines: Sequence[str], said: Mapping[str, str]) -> Layout:
    """Separator and header of a text by its first lines.

    Raises:
        DataError: no line is a header; or two columns mean the same.
    """
    first = next(at for at, line in enumerate(lines) if line.strip())
    excel = re.fullmatch(r'"?sep=(.|\\t)"?', lines[first].strip(), re.IGNORECASE)  # Excel's own line
    if excel:
        first += 1
    separators = [excel.group(1).replace("\\t", "\t")] if excel else list(_SEPARATORS)
    tables = {one: [_cells(line, one) for line in lines] for one in separators}
    for layout in (_named(tables, first, said), _side_by_side(tables, first), _nameless(tables, first)):
        if layout is not None:
            return layout
    return _nearest(tables, first, lines, said)


def _named(tables: Mapping[str, list[list[str]]], first: int, said: Mapping[str, str]) -> Layout | None:
    """By the first line that has a date and the four prices among its cells."""
    best = None
    for separator, rows in tables.items():
        at = next((at for at in range(first, len(rows)) if _required(rows[at], said) == len(REQUIRED)), None)
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
    separator, at = max(places, key=lambda place: (_required(tables[place[0]][place[1]], said), -place[1]))
    if _required(tables[separator][at], said) < 2:
        raise DataError(
            f"line {first + 1} is {lines[first].strip()[:60]!r}, expected a header row with a date and four prices, "
            "such as Date,Open,High,Low,Close,Volume; if it is one, name its columns: --column date=NAME and so on."
        )
    return Layout(separator, at + 1, _unnamed(tables[separator][at]))


def _cells(line: str, separator: str) -> list[str]:
    return [
        cell.strip()
        for cell in next(csv.reader([line.replace("\0", "")], delimiter=separator, skipinitialspace=True), [])
    ]


def _required(cells: Sequence[str], said: Mapping[str, str]) -> int:
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


def _body(part: Part, layout: Layout, encoding: str, said: Mapping[str, str]) -> pd.DataFrame:
    """The lines below the header: numbers where all of the candles' columns are plain ones, else every cell a text.

    Raises:
        ValueError: a row has more cells than the header.
    """
    columns = choose(layout.names, said)
    texts = [0] if layout.wide else [place for name, place in columns.items() if name in ("date", "time", "ticker")]
    numbers = range(1, len(layout.names)) if layout.wide else set(columns.values()) - set(texts)
    frame = _table(part, layout, encoding, texts)
    plain = all(pd.api.types.is_numeric_dtype(frame.dtypes.iloc[place]) for place in numbers)
    return frame if plain else _table(part, layout, encoding, range(len(layout.names)))


def _table(part: Part, layout: Layout, encoding: str, texts: Iterable[int]) -> pd.DataFrame:
    width = len(layout.names)
    kinds = dict.fromkeys([*texts, width], str)
    with (
        part.open() as raw,
        io.TextIOWrapper(raw, encoding, errors=_errors(encoding), newline="") as text,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas warns where it would lose a field
        gaps = {place: [*WORDS_FOR_NOTHING] for place in range(width) if place not in kinds}
        options: Any = {"header": None, "index_col": False, "dtype": kinds, "keep_default_na": False, "na_values": gaps}
        frame = pd.read_csv(
            text,
            sep=layout.separator,
            names=range(width + 1),  # one more than there should be, for a separator at the end of the line
            skiprows=layout.header,
            skipinitialspace=True,
            skip_blank_lines=False,
            low_memory=False,
            **options,
        )
    frame = frame.set_axis(range(layout.header + 1, layout.header + 1 + len(frame)))
    more = frame[width].notna() & (frame[width].str.strip() != "")
    if more.any():
        raise ValueError(f"row {frame.index[more][0]} has more fields than the header")
    return frame.drop(columns=width).set_axis(list(layout.names), axis=1)
