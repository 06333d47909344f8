"""Number formats: `$1,234.56`, `1.234,56`, `1.23M`, `2:1` → floats; one decimal mark per file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.axes import Bool, Float
from forecaster.data.sources.faults import quote_value
from forecaster.errors import DataError

MISSING_WORDS = (
    "", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "none", "-", "--", "–", "—", "<NA>", "NaT",
)  # fmt: skip
_GAPS = {word.lower() for word in MISSING_WORDS}
_MONEY = r"^(?:US\$|[$€£¥₹₩₺₽]|Rs\.?|USD|EUR|GBP|JPY|INR|CHF)\s*|\s*(?:[$€£¥₹₩₺₽%]|USD|EUR|GBP|JPY|INR|CHF)$"
_BLANKS = r"[\s\u00a0\u202f'’_]"
_PARTS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "万": 1e4, "亿": 1e8}
_RATIO = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?::|/|for|-for-)\s*(\d+(?:\.\d+)?)\s*$", re.IGNORECASE)

# Numbers (without blanks and signs) that are only valid with a decimal comma, or only with a decimal point.
# With a comma: 12,5 · 0,125 · 1.234,5 · 1.234.567. On their own, 1,234 and 1.234 are ambiguous.
_COMMA = r"^\d+,(?:\d{1,2}|\d{4,})$|^0,\d+$|^\d{1,3}(?:\.\d{3})+,\d+$|^\d{1,3}(?:\.\d{3}){2,}$"
_POINT = r"^\d+\.(?:\d{1,2}|\d{4,})$|^0\.\d+$|^\d{1,3}(?:,\d{2,3})+\.\d+$|^\d{1,3}(?:,\d{3}){2,}$"


def gaps(text: pd.Series) -> Bool[np.ndarray, " row"]:
    """Mask of texts that are empty or mean missing."""
    found: np.ndarray = (text.isna() | text.str.strip().str.lower().isin(_GAPS)).to_numpy(bool)
    return found


@dataclass(frozen=True)
class Numbers:
    """A parsed column of numbers.

    Args:
        values: NaN if missing or invalid.
        wrong: mask of values that are not numbers.
    """

    name: str
    values: Float[np.ndarray, " row"]
    wrong: Bool[np.ndarray, " row"]

    def problem(self, row: object, value: object) -> str:
        """`open in row 2 is 'ten', expected a number such as 1234.5`."""
        return f"{self.name} in row {row} is {quote_value(value)}, expected a number such as 1234.5"


def read_numbers(columns: dict[str, pd.Series], comma: bool) -> dict[str, Numbers]:
    """Parse the columns of a table.

    Args:
        comma: whether a comma is the decimal mark if the numbers are ambiguous.

    Raises:
        DataError: most of a column is not numeric.
    """
    texts = {name: column for name, column in columns.items() if not _is_numeric(column)}
    plain = {name: column.astype("string").fillna("").str.strip() for name, column in texts.items()}
    point = _decimal_point(list(plain.values()), comma)
    return {
        name: _parse_column(name, plain[name], point) if name in plain else _from_numeric(name, column)
        for name, column in columns.items()
    }


def _is_numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _from_numeric(name: str, column: pd.Series) -> Numbers:
    return Numbers(name, column.to_numpy(np.float64, na_value=np.nan), np.zeros(len(column), bool))


def _parse_column(name: str, text: pd.Series, point: bool) -> Numbers:
    empty = gaps(text)
    if point:  # the fast path
        found = pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan, copy=True)
        odd = np.isnan(found) & ~empty
    else:
        found, odd = np.full(len(text), np.nan), ~empty
    if odd.any():
        found[odd] = _parse_formatted(text[odd], point, name)
    numbers = Numbers(name, found, np.isnan(found) & ~empty)
    count = int(numbers.wrong.sum())
    if count > 1 and count > 0.5 * (~empty).sum():
        place = int(np.argmax(numbers.wrong))
        problem = numbers.problem(text.index[place], text.iloc[place])
        raise DataError(f"{problem}, and likewise in {count - 1} more rows: is it the right column?")
    return numbers


def _parse_formatted(text: pd.Series, point: bool, name: str) -> Float[np.ndarray, " row"]:
    """Parse numbers with units, currency signs or thousands separators."""
    if name == "split":
        ratios = text.str.extract(_RATIO.pattern, flags=re.IGNORECASE).astype(float)
        text = text.where(ratios[0].isna(), (ratios[0] / ratios[1]).astype("string"))
    bare = text.str.replace(_MONEY, "", regex=True).str.replace(_BLANKS, "", regex=True)
    # Accountants write (1.5) for −1.5, and some programs write a typographic minus sign.
    bare = bare.str.replace(r"^\((.*)\)$", r"-\1", regex=True).str.replace("−", "-")
    unit = bare.str.extract(r"(?i)\d([KMBT万亿])$", expand=False).str.upper()
    bare = bare.where(unit.isna(), bare.str.slice(0, -1))
    marks = (",", ".") if point else (".", ",")
    # A thousands separator precedes groups of three digits (in India also of two); otherwise it is not a number.
    grouped = bare.str.fullmatch(rf"[-+]?\d{{1,3}}(?:\{marks[0]}\d{{2,3}})*\{marks[0]}\d{{3}}(?:\{marks[1]}\d*)?")
    bare = bare.where(~grouped.fillna(False), bare.str.replace(marks[0], "", regex=False))
    if not point:
        bare = bare.where(~bare.str.contains(".", regex=False), "").str.replace(",", ".", regex=False)
    found = pd.to_numeric(bare, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return found * unit.map(_PARTS).fillna(1.0).to_numpy(np.float64)


def _decimal_point(texts: Sequence[pd.Series], comma: bool) -> bool:
    """Whether a point is the decimal mark, by majority over all columns."""
    if not comma and not any(text.str.contains(",", regex=False).any() or _many_points(text) for text in texts):
        return True
    bare = [
        text.str.replace(_MONEY, "", regex=True).str.replace(_BLANKS + r"|[-+KMBT]", "", regex=True) for text in texts
    ]
    commas, points = (sum(int(text.str.contains(kind).sum()) for text in bare) for kind in (_COMMA, _POINT))
    return points > commas if points != commas else not comma


def _many_points(text: pd.Series) -> bool:
    return bool(text.str.contains(r"\d\.\d{3}\.\d{3}").any())
