"""Files of any kind that is read → tables."""

from __future__ import annotations

import csv
import zipfile
import zlib

import pandas as pd
import pyarrow as pa

from forecaster.data.sources.delimited import read_delimited
from forecaster.data.sources.parts import CSV, EXCEL, FEATHER, Part
from forecaster.data.sources.table import Hints, Table, read_table
from forecaster.data.sources.wide import tidy
from forecaster.data.sources.workbook import read_workbook
from forecaster.errors import DataError

_FAULTS = (
    OSError, ValueError, EOFError, LookupError, TypeError, RuntimeError, NotImplementedError,
    zlib.error, zipfile.BadZipFile, csv.Error, pa.ArrowException,
)  # fmt: skip


def read_part(part: Part, hints: Hints) -> Table:
    """A file, or a member of an archive, as a table whose columns are known.

    Raises:
        DataError: it cannot be read as what its name says, or holds no candles that can be used.
        InputError: a library to read it is not installed.
    """
    try:
        frame, comma = _frame(part, hints)
    except pd.errors.ParserWarning as error:
        raise DataError(f"{part} cannot be read: a row has more fields than the header. Fix it.") from error
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(str(part)) else f"{part}: {error}") from error
    except _FAULTS as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{part} cannot be read: {reason.rstrip('.')}. Is it whole, and what its name says?") from error
    return read_table(frame, str(part), Hints(hints.columns, hints.date_format, hints.daily, comma))


def _frame(part: Part, hints: Hints) -> tuple[pd.DataFrame, bool]:
    """As it is written, and whether a comma is the decimal mark where the numbers do not tell."""
    if part.is_a(*CSV):
        return read_delimited(part, hints.columns)
    if part.is_a(*EXCEL):
        return read_workbook(part, hints.columns), False
    with part.open() as raw:
        return tidy(pd.read_feather(raw) if part.is_a(*FEATHER) else pd.read_parquet(raw)), False
