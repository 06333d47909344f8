"""Parquet and Feather files from anywhere → pandas frames, with a limit on what they unpack to.

Their pandas metadata is ignored: pandas would evaluate the column names in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather, parquet

from forecaster.data.sources.ipc import unpacked_sizes
from forecaster.data.sources.parts import FEATHER, Part, limit_of
from forecaster.errors import DataError
from forecaster.printable import quoted

_ROWS = 1 << 16
"""Rows of Parquet that are unpacked at a time."""

_LONGEST = 10_000
"""Bytes of a cell: no date, price or symbol has more."""

_TOO_LONG = f"a cell has more than {_LONGEST:,} bytes, expected dates, prices and symbols."
_TOO_LARGE = "it unpacks to more than {:,} bytes: save it as CSV, or in parts."

_MAGIC = b"ARROW1\0\0"
"""How an Arrow IPC file begins; a stream of messages follows."""

_PAIR = re.compile(r"""\((['"])(.*)\1, (['"])(.*)\3\)""")
_INDEX = re.compile(r"__index_level_\d+__")


def read_arrow(part: Part) -> pd.DataFrame:
    """The frame as it was written, its index as columns.

    Raises:
        DataError: it unpacks to too much, or a cell is too long.
        OSError, pyarrow.ArrowException and others: it is damaged.
    """
    with part.open() as raw:
        table = (_feather if part.is_a(*FEATHER) else _parquet)(raw, limit_of(part.size()))
    table = _with_index_first(table.replace_schema_metadata(None))
    # Days as numpy's, not as Python's objects: those would be read as text, which takes eight times as long.
    frame = table.to_pandas(date_as_object=False)
    pairs = _pairs(table.column_names)
    return frame if pairs is None else frame.set_axis(pairs, axis=1)


def _feather(raw: Any, limit: int) -> pa.Table:
    """As a stream, whose messages lie one after the other, so that what is read is what was measured."""
    if raw.read(len(_MAGIC)) != _MAGIC:  # Feather's first version, which has no compression
        raw.seek(0)
        table = feather.read_table(raw)
        table.validate(full=True)
        return _no_larger(table, limit)
    size = 0
    for message in unpacked_sizes(pa.ipc.MessageReader.open_stream(raw)):
        size += message
        if size > limit:
            raise DataError(_TOO_LARGE.format(limit))
    raw.seek(len(_MAGIC))
    table = pa.ipc.open_stream(raw).read_all()
    table.validate(full=True)  # offsets that lead out of a buffer would end the process
    for batch in table.to_batches():
        _check_cells(batch)
    return _no_larger(table, limit)


def _no_larger(table: pa.Table, limit: int) -> pa.Table:
    """The table without columns of lists and the like.

    Raises:
        DataError: as numbers of numpy's or words, its cells take too much, or no column may be one of candles.
    """
    table = table.select(_plain_columns(table.schema))
    if _bytes(table) > limit:
        raise DataError(_TOO_LARGE.format(limit))
    return table


def _plain_columns(schema: pa.Schema) -> list[int]:
    """Places of the columns that candles may be in; lists and the like are passed over, as any other column is.

    Raises:
        DataError: there are columns, but none of them is one.
    """
    plain = [place for place, field in enumerate(schema) if _is_plain(field.type)]
    if len(schema) and not plain:
        name, kind = quoted(schema[0].name), quoted(str(schema[0].type))
        raise DataError(f"the column {name} holds {kind}, expected numbers or text.")
    return plain


def _bytes(batch: pa.RecordBatch | pa.Table) -> int:
    """Bytes of the cells; a column of nulls has none of its own, but does as an array of numpy's."""
    words = sum(map(_word_bytes, _chunks(batch)))
    return words + max(int(batch.nbytes), 8 * batch.num_rows * batch.num_columns)


def _word_bytes(column: pa.Array) -> int:
    """Bytes of words that are stored once and stand in many rows."""
    if _is_view(column.type):
        return int(_view_lengths(column).sum())
    if isinstance(column, pa.DictionaryArray) and _is_text(column.dictionary.type):
        return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0
    return 0


def _chunks(batch: pa.RecordBatch | pa.Table) -> Iterator[pa.Array]:
    for column in batch.columns:
        yield from column.chunks if isinstance(column, pa.ChunkedArray) else (column,)


def _is_view(kind: pa.DataType) -> bool:
    return pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)


def _view_lengths(column: pa.Array) -> np.ndarray:
    """Bytes of each word, of which many may lie at one place. A view is four int32; the first is its length."""
    views = column.buffers()[1]
    return np.frombuffer(views, "<i4").reshape(-1, 4)[:, 0].astype(np.int64) if views else np.zeros(0, np.int64)


def _parquet(raw: Any, limit: int) -> pa.Table:
    """Batch by batch: a column of equal values takes no space in the file, whatever its footer says of its size."""
    schema = parquet.ParquetFile(raw).schema_arrow
    words = [field.name for field in schema if _is_text(field.type)]
    plain = _plain_columns(schema)
    names = None if len(plain) == len(schema) else [schema[place].name for place in plain]
    raw.seek(0)
    with parquet.ParquetFile(raw, read_dictionary=words) as file:  # a long word is unpacked once, not in each row
        batches: list[pa.RecordBatch] = []
        size = 0
        for batch in file.iter_batches(_ROWS, columns=names, use_threads=False):
            _check_cells(batch)
            size += _bytes(batch)
            if size > limit:
                raise DataError(_TOO_LARGE.format(limit))
            batches.append(batch)
        table = pa.Table.from_batches(batches) if batches else file.schema_arrow.empty_table().select(plain)
    return table.unify_dictionaries().cast(pa.schema([_plain(field) for field in table.schema]))


def _check_cells(batch: pa.RecordBatch) -> None:
    for column in batch.columns:
        if _is_view(column.type) and _view_lengths(column).max(initial=0) > _LONGEST:
            raise DataError(_TOO_LONG)
        words = column.dictionary if isinstance(column, pa.DictionaryArray) else column
        if _is_text(words.type) and (pc.max(pc.binary_length(words)).as_py() or 0) > _LONGEST:
            raise DataError(_TOO_LONG)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether each cell takes a few bytes, or is a word of its own length."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (_is_text, _is_view, pa.types.is_primitive, pa.types.is_null, pa.types.is_decimal)
    return any(test(kind) for test in tests)


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string))


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def _with_index_first(table: pa.Table) -> pa.Table:
    """A nameless index as the first column, `date` if it holds dates; numbers of rows are left out."""
    index = [name for name in table.column_names if _INDEX.fullmatch(name)]
    dates = [name for name in index if pa.types.is_temporal(table.schema.field(name).type)]
    rest = [name for name in table.column_names if name not in index]
    named = [name for name in rest if not _PAIR.fullmatch(name)] if _pairs(rest) is not None else []
    order = [*dates, *named, *(name for name in rest if name not in named)]
    return table.select(order).rename_columns([*("date" for _ in dates), *named, *order[len(dates) + len(named) :]])


def _pairs(names: Iterable[str]) -> pd.MultiIndex | None:
    """The columns of a wide table, which pandas writes as `('Close', 'AAPL')`; None of any other."""
    found = [(name, _PAIR.fullmatch(name)) for name in names]
    if sum(pair is None for _, pair in found) > 1 or len(found) < 2:
        return None
    return pd.MultiIndex.from_tuples([(pair[2], pair[4]) if pair else (name, "") for name, pair in found])
