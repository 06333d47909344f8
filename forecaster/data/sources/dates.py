"""Date column → timestamps: one format per column, detected from all its values or given by the user."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.data.sources.datewords import FORMATS, Examples, Stamps, parse_text_dates, unknown_format
from forecaster.data.sources.faults import quote_value
from forecaster.data.sources.numbers import gaps
from forecaster.errors import DataError, InputError

_DAY = 86_400
_LEAST, _MOST = 1e8, 1e20  # smaller numbers are not timestamps but row numbers or Excel days
_EXCEL = (10_000, 80_000)  # days since 1899-12-30: 1927 to 2119


@dataclass(frozen=True)
class Dates:
    """A parsed date column.

    Args:
        text: the original text.
        expected: the date format, for messages.
    """

    stamps: Stamps
    text: pd.Series
    expected: str

    def problem(self, row: object, value: object) -> str:
        """`date in row 3 is '2020-02-30', expected YYYY-MM-DD`."""
        return f"date in row {row} is {quote_value(value)}, expected {self.expected}"


def read_dates(column: pd.Series, date_format: str | None = None, american: bool = False) -> Dates:
    """Parse dates, datetimes, Unix seconds or milliseconds, or Excel day numbers; NaT if missing or invalid.

    Args:
        date_format: `strftime` format given by the user.
        american: whether 01/02 is known to be January 2nd.

    Raises:
        DataError: the format is unknown or ambiguous.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return Dates(_from_datetimes(column), column.astype("string"), FORMATS["%Y-%m-%d"])
    text = _texts(column)
    codes, unique = pd.factorize(text, use_na_sentinel=False)  # each distinct value once
    words = pd.Series(np.asarray(unique, object)).astype("string").str.strip()
    counts = np.where(gaps(words), 0, np.bincount(codes, minlength=len(words)))
    if not counts.any():
        nothing = np.full(len(text), np.datetime64("NaT", "s"))
        return Dates(Stamps(nothing, nothing), text, FORMATS["%Y-%m-%d"])
    words = words.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True).where(counts > 0, "")
    stamps, expected = _read(words, counts, Examples(text, codes, counts > 0), date_format, american)
    return Dates(stamps.take(codes), text, expected)


def check_format(date_format: str) -> str:
    """Validate a `strftime` date format; `DD/MM/YYYY` is converted.

    Raises:
        InputError: it lacks year, month or day.
    """
    words = date_format
    if "%" not in words:
        for word, directive in (("yyyy", "%Y"), ("yy", "%y"), ("mmm", "%b"), ("mm", "%m"), ("dd", "%d")):
            words = re.sub(word, directive, words, count=1, flags=re.IGNORECASE)
    whole = re.search(r"%[cxDF]|%s", words)
    if not whole and not (re.search("%[Yy]", words) and re.search("%[mbB]", words) and re.search("%d", words)):
        raise InputError(f"--date-format {date_format} lacks a year, month or day: expected a format such as %d/%m/%Y.")
    return words


def _from_datetimes(column: pd.Series) -> Stamps:
    wall = column.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    if column.dt.tz is None:
        return Stamps(wall, np.full(len(wall), np.datetime64("NaT", "s")))
    return Stamps(wall, column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]"))


def _texts(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column.dtype):  # integers that became floats because of a gap
        column = column.astype("Float64").round().astype("Int64")
    return column.astype("string")


def _read(
    words: pd.Series, counts: np.ndarray, example: Examples, date_format: str | None, american: bool
) -> tuple[Stamps, str]:
    """Parse the distinct values of a column; returns the stamps and the format."""
    if date_format is not None:
        return _parse_format(words, counts, example, date_format), date_format
    if re.fullmatch(r"-?\d+(?:\.\d+)?", str(words[int(np.argmax(counts > 0))])):
        numbers = pd.to_numeric(words, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if not np.isnan(numbers[counts > 0]).any():
            return _parse_numbers(numbers, words, counts, example)
    return parse_text_dates(words, counts, example, american)


def _parse_format(words: pd.Series, counts: np.ndarray, example: Examples, date_format: str) -> Stamps:
    aware = "%z" in date_format
    parsed = pd.to_datetime(words, format=check_format(date_format), errors="coerce", utc=aware)
    if not counts[parsed.notna().to_numpy(bool)].sum():
        raise DataError(f"--date-format {date_format} does not fit the dates, such as {example.of()}.")
    return _from_datetimes(parsed)


def _parse_numbers(numbers: np.ndarray, words: pd.Series, counts: np.ndarray, example: Examples) -> tuple[Stamps, str]:
    """Numeric dates: `20130301`; seconds, ms, µs or ns since 1970; or Excel day numbers."""
    known = numbers[counts > 0]
    nothing = np.full(len(numbers), np.datetime64("NaT", "s"))
    # 20130301 read as a number: the years 1500 to 2499.
    if ((known >= 1.5e7) & (known < 2.5e7)).all():
        day = pd.to_datetime(words, format="%Y%m%d", errors="coerce").to_numpy().astype("datetime64[s]")
        return Stamps(day, nothing), FORMATS["%Y%m%d"]
    if ((known >= _EXCEL[0]) & (known < _EXCEL[1])).all():
        seconds = np.round(np.nan_to_num(numbers) * _DAY).astype("timedelta64[s]")
        return Stamps(
            np.where(np.isnan(numbers), nothing, np.datetime64("1899-12-30", "s") + seconds), nothing
        ), "a day number"
    largest = np.abs(known).max()
    if not _LEAST <= largest < _MOST:
        raise DataError(f"{unknown_format(example)}.")
    # The magnitude of each value tells its unit; concatenated files may mix two units.
    scale = np.ones(len(numbers))
    # Now is 1.8e9 in seconds, 1.8e12 in ms, 1.8e15 in µs and 1.8e18 in ns.
    if largest >= 1e11:
        scale = np.where(np.abs(numbers) >= 1e17, 1e9, np.where(np.abs(numbers) >= 1e14, 1e6, 1e3))
    seconds = np.floor(np.nan_to_num(numbers) / scale + 1e-6).astype("datetime64[s]")
    seconds = np.where(np.isnan(numbers), nothing, seconds)
    return Stamps(seconds, seconds), "seconds or milliseconds since 1970"
