"""One result in four formats: a table for people; JSON, CSV and Parquet for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from forecaster.errors import InputError
from forecaster.files import atomic_write, escape_unencodable, write_text
from forecaster.printable import printable
from forecaster.show.screen import console
from forecaster.show.streams import standard_output

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet computes."""

_BATCH = 50_000
"""Rows turned into Arrow at a time. No result with words among its numbers has so many."""


@dataclass(frozen=True)
class View:
    """A result to show.

    Args:
        data: as JSON; a function where it takes long to make, and only one of the formats needs it.
        rows: the long form, for CSV and Parquet.
        render: makes the table for people.
    """

    data: Any
    rows: Iterable[Mapping[str, Any]]
    render: Callable[[], RenderableType]


def present(view: View, format: str = "table", output: Path | None = None, *, needed: bool = True) -> None:
    """Write a result to standard output or, atomically, to a file.

    Args:
        needed: whether an unwritable standard output is an error; it is not where the result is also in a file that
            the user named.

    Raises:
        InputError: Parquet without an output file.
        OutsideError: the file, or standard output, cannot be written.
    """
    if format == "parquet":
        _parquet(view, output)
        return
    if output is not None:
        write_text(output, _text(view, format), named=True)
    elif format == "table":
        page = view.render()
        with standard_output(needed):
            console(sys.stdout, asked=True).print(page, crop=False)
    else:
        present_text(_text(view, format), needed=needed)


def present_text(text: str, *, needed: bool = True) -> None:
    """Write text to standard output.

    Raises:
        OutsideError: it cannot be written, and it is needed.
    """
    with standard_output(needed):
        sys.stdout.write(text)


def note(message: str, quiet: bool = False) -> None:
    """Write a message to standard error, beside the result."""
    if not quiet:
        console(sys.stderr).print(message)


def _text(view: View, format: str) -> str:
    if format == "json":
        data = view.data() if callable(view.data) else view.data
        return _printable_json(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"
    if format == "csv":
        return _csv(view.rows)
    import io

    buffer = io.StringIO()
    console(buffer, asked=True, force_terminal=False).print(view.render(), crop=False)
    return buffer.getvalue()


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(next(iter(rows), {})), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _csv_cell(value) for key, value in row.items()} for row in rows)
    return buffer.getvalue()


def _csv_cell(value: object) -> object:
    """A text without control characters, and with an apostrophe where a spreadsheet would take it for a formula."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_FORMULA) and not _is_number(value) else printable(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _printable_json(text: str) -> str:
    r"""JSON with C1 and bidi characters as `\u202e`, which reads back as the same text."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(one if printable(one, keep="\n") == one else json.dumps(one)[1:-1] for one in text)


def _parquet(view: View, output: Path | None) -> None:
    if output is None:
        raise InputError("--format parquet needs --output FILE: Parquet is not text.")
    import pyarrow as pa
    import pyarrow.parquet as pq

    # A batch at a time: a row as a dict takes ten times its memory in Arrow.
    tables = [pa.Table.from_pylist(_one_type_a_column(batch)) for batch in _batches(view.rows)] or [pa.table({})]
    with atomic_write(output, named=True) as part, part.open("wb") as file:
        pq.write_table(pa.concat_tables(tables, promote_options="permissive"), file)


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _one_type_a_column(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Numbers become text in columns that also hold words, such as the scorecard's steps 1, 2, …, all."""
    worded = {key for row in rows for key, value in row.items() if isinstance(value, str)}

    def printable(key: str, value: object) -> object:
        return escape_unencodable(str(value)) if key in worded and value is not None else value

    return [{key: printable(key, value) for key, value in row.items()} for row in rows]
