"""Text files of candles → pandas frames: detects the encoding; parses numbers directly where possible."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from forecaster.data.sources.columns import REQUIRED, choose
from forecaster.data.sources.layout import SEPARATORS, TOP, Layout, cells_of, count_required, find_layout
from forecaster.data.sources.numbers import MISSING_WORDS
from forecaster.data.sources.parts import Part
from forecaster.data.sources.wide import to_long
from forecaster.errors import DataError
from forecaster.interrupts import interrupts_held

_ENCODINGS = ("gb18030", "cp949", "shift_jis", "big5")
_BINARY = re.compile("[\x00-\x08\x0e-\x1f]")


def read_delimited(part: Part, overrides: Mapping[str, str]) -> tuple[pd.DataFrame, bool]:
    """Read a text file; returns the raw frame, indexed by line number, and whether its decimal mark is likely a comma.

    Args:
        overrides: the user's column names, field → name.

    Raises:
        DataError: it is not text, is empty, or has no header line.
        OSError and pandas errors: it cannot be read.
    """
    try:
        return _read(part, overrides, "utf-8-sig")
    except UnicodeDecodeError:
        return _read(part, overrides, _encoding(part, overrides))


def _read(part: Part, overrides: Mapping[str, str], encoding: str) -> tuple[pd.DataFrame, bool]:
    lines = _top(part, encoding)
    layout = find_layout(lines, overrides)
    frame = _body(part, layout, encoding, overrides)
    return (to_long(frame, *layout.wide) if layout.wide else frame), layout.comma


def _top(part: Part, encoding: str) -> list[str]:
    """The first lines.

    Raises:
        DataError: they are blank or not text.
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


def _encoding(part: Part, overrides: Mapping[str, str]) -> str:
    """Detect the encoding of text that is not UTF-8: by its BOM, by a valid header, else Windows-1252.

    Digits are the same in all of them, so a wrong guess can only affect names.
    """
    with part.open() as raw:
        head = raw.read(1 << 16)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in _ENCODINGS:
        lines = head.decode(encoding, errors="replace").splitlines()[:TOP]
        if any(
            count_required(cells_of(line, separator), overrides) == len(REQUIRED)
            for line in lines
            for separator in SEPARATORS
        ):
            return encoding
    return "cp1252"


def _errors(encoding: str) -> str:
    return "strict" if encoding.startswith("utf") else "replace"


def _body(part: Part, layout: Layout, encoding: str, overrides: Mapping[str, str]) -> pd.DataFrame:
    """Read the lines below the header: as numbers if all candle columns are plain numbers, else every cell as text.

    Raises:
        ValueError: a row has more cells than the header.
    """
    columns = choose(layout.names, overrides)
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
        warnings.simplefilter("error", pd.errors.ParserWarning)  # pandas warns before it drops a field
        gaps = {place: [*MISSING_WORDS] for place in range(width) if place not in kinds}
        options: Any = {"header": None, "index_col": False, "dtype": kinds, "keep_default_na": False, "na_values": gaps}
        with interrupts_held():
            frame = pd.read_csv(
                text,
                sep=layout.separator,
                names=range(width + 1),  # one extra column, for a trailing separator
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
