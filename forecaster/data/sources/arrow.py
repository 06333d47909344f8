"""Parquet and Feather files from anywhere → pandas frames, with a limit on what they unpack to.

Their pandas metadata is ignored: pandas would evaluate the column names in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather, parquet

from forecaster.data.sources.parts import FEATHER, Part, limit_of
from forecaster.errors import DataError

_ROWS = 1 << 16
"""Rows of Parquet that are unpacked at a time."""

_LONGEST = 10_000
"""Bytes of a cell: no date, price or symbol has more."""

_PAIR = re.compile(r"""\((['"])(.*)\1, (['"])(.*)\3\)""")
_INDEX = re.compile(r"__index_level_\d+__")


def read_arrow(part: Part) -> pd.DataFrame:
    """The frame as it was written, its index as columns.

    Raises:
        DataError: it unpacks to too much, or a cell is too long.
        OSError, pyarrow.ArrowException and others: it is damaged.
    """
    with part.open() as raw:
        table = feather.read_table(raw) if part.is_a(*FEATHER) else _parquet(raw, part)
    table = _with_index_first(table.replace_schema_metadata(None))
    # Days as numpy's, not as Python's objects: those would be read as text, which takes eight times as long.
    frame = table.to_pandas(date_as_object=False)
    pairs = _pairs(table.column_names)
    return frame if pairs is None else frame.set_axis(pairs, axis=1)


def _parquet(raw: Any, part: Part) -> pa.Table:
    """Batch by batch: a column of equal values takes no space in the file, whatever its footer says of its size."""
    limit = limit_of(part.path.stat().st_size)
    words = [field.name for field in parquet.ParquetFile(raw).schema_arrow if _is_text(field.type)]
    raw.seek(0)
    with parquet.ParquetFile(raw, read_dictionary=words) as file:  # a long word is unpacked once, not in each row
        batches: list[pa.RecordBatch] = []
        size = 0
        for batch in file.iter_batches(_ROWS, use_threads=False):
            _check_cells(batch)
            size += batch.nbytes
            if size > limit:
                raise DataError(f"it unpacks to more than {limit:,} bytes: save it as CSV, or in parts.")
            batches.append(batch)
        table = pa.Table.from_batches(batches, file.schema_arrow if not batches else None)
    return table.unify_dictionaries().cast(pa.schema([_plain(field) for field in table.schema]))


def _check_cells(batch: pa.RecordBatch) -> None:
    for column in batch.columns:
        words = column.dictionary if isinstance(column, pa.DictionaryArray) else column
        if _is_text(words.type) and (pc.max(pc.binary_length(words)).as_py() or 0) > _LONGEST:
            raise DataError(f"a cell has more than {_LONGEST:,} bytes, expected dates, prices and symbols.")


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
