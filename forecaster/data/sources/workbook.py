"""Excel workbooks: find the sheet with candles."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import pandas as pd

from forecaster.data.sources.columns import REQUIRED, choose
from forecaster.data.sources.layout import TOP
from forecaster.data.sources.parts import Part
from forecaster.data.sources.sheetsize import check_cells
from forecaster.errors import DataError, InputError, at_most_five


def read_workbook(part: Part, overrides: Mapping[str, str]) -> pd.DataFrame:
    """The one sheet with a date and four price columns, below its header; indexed by row number.

    Raises:
        InputError: openpyxl is not installed.
        DataError: no sheet has them, or several do.
    """
    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"reading {part} requires openpyxl: pip install 'stock-forecaster[xlsx]', or save it as CSV."
        ) from error
    with part.open() as raw, warnings.catch_warnings():
        check_cells(raw, part.size())
        raw.seek(0)
        warnings.simplefilter("ignore", UserWarning)  # about unsupported styles
        sheets = pd.read_excel(raw, sheet_name=None, header=None, dtype=object, engine="openpyxl")
    tables = {name: table for name, sheet in sheets.items() if (table := _table(sheet, overrides)) is not None}
    if len(tables) > 1:
        raise DataError(f"{len(tables)} sheets contain candles ({at_most_five(tables)}): save each as a separate file.")
    if not tables:
        names = at_most_five(repr(name) for name in sheets)
        raise DataError(
            f"no sheet ({names}) has a header row with a date and four prices, such as Date Open High Low Close."
        )
    return next(iter(tables.values()))


def _table(sheet: pd.DataFrame, overrides: Mapping[str, str]) -> pd.DataFrame | None:
    for row in range(min(TOP, len(sheet))):
        names = ["" if pd.isna(cell) else str(cell).strip() for cell in sheet.iloc[row]]
        names = ["Unnamed: 0" if at == 0 and not name else name for at, name in enumerate(names)]
        wanted = {field: name for field, name in overrides.items() if name in names}
        if sum(bool(name) for name in names) >= len(REQUIRED) and choose(names, wanted).keys() >= set(REQUIRED):
            return sheet.iloc[row + 1 :].set_axis(names, axis=1).set_axis(range(row + 2, len(sheet) + 1))
    return None
