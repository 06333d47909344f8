"""Files of all supported formats → tables."""

from __future__ import annotations

import csv
import errno
import zipfile
import zlib
from struct import error as StructError
from xml.parsers.expat import ExpatError

import pandas as pd
import pyarrow as pa

from forecaster.data.sources.arrow import read_arrow
from forecaster.data.sources.delimited import read_delimited
from forecaster.data.sources.parts import CSV, EXCEL, Part
from forecaster.data.sources.table import Hints, Table, read_table
from forecaster.data.sources.wide import tidy
from forecaster.data.sources.workbook import read_workbook
from forecaster.errors import DataError, OutsideError
from forecaster.printable import printable

_LONGEST = 300

_FAULTS = (
    OSError, ValueError, EOFError, LookupError, TypeError, RuntimeError,
    zlib.error, zipfile.BadZipFile, csv.Error, pa.ArrowException, ArithmeticError, AttributeError, MemoryError,
    ExpatError, SyntaxError, StructError,
)  # fmt: skip


def read_part(part: Part, hints: Hints) -> Table:
    """Read a file, or a member of an archive, as a table with identified columns.

    Raises:
        DataError: it is not a valid file of its format, or has no usable candles.
        InputError: a required library is not installed.
    """
    try:
        frame, comma = _frame(part, hints)
    except pd.errors.ParserWarning as error:
        raise DataError(f"{part} cannot be read: a row has more fields than the header. Fix it.") from error
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(str(part)) else f"{part}: {error}") from error
    except _FAULTS as error:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            raise OutsideError(f"{part} cannot be read: there is too little memory; free some.") from error
        reason = (
            printable(str(error).strip().splitlines()[0])[:_LONGEST] if str(error).strip() else type(error).__name__
        )
        raise DataError(
            f"{part} cannot be read: {reason.rstrip('.')}. Is it complete and in the right format?"
        ) from error
    return read_table(frame, str(part), Hints(hints.columns, hints.date_format, hints.daily, comma))


def _frame(part: Part, hints: Hints) -> tuple[pd.DataFrame, bool]:
    """The raw frame, and whether a comma is the decimal mark if the numbers are ambiguous."""
    if part.is_a(*CSV):
        return read_delimited(part, hints.columns)
    if part.is_a(*EXCEL):
        return read_workbook(part, hints.columns), False
    return tidy(read_arrow(part)), False
