"""A column of dates → stamps: one format a column, found from all its values, or the one that the user says."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.data.sources.datewords import FORMATS, Examples, Stamps, read_words, unknown_format
from forecaster.data.sources.faults import shown
from forecaster.data.sources.numbers import gaps
from forecaster.errors import DataError, InputError

_DAY = 86_400
_LEAST, _MOST = 1e8, 1e20  # a number below is no moment: rows are numbered so, and Excel numbers days
_EXCEL = (10_000, 80_000)  # days since 1899-12-30: 1927 to 2119


@dataclass(frozen=True)
class Dates:
    """A column of dates.

    Args:
        text: as it is written.
        expected: how its dates are written, for messages.
    """

    stamps: Stamps
    text: pd.Series
    expected: str

    def problem(self, row: object, value: object) -> str:
        """`date in row 3 is '2020-02-30', expected YYYY-MM-DD`."""
        return f"date in row {row} is {shown(value)}, expected {self.expected}"


def read_dates(column: pd.Series, date_format: str | None = None, american: bool = False) -> Dates:
    """Read dates, date times, Unix seconds or milliseconds, Excel's day numbers; NaT where there is none.

    Args:
        date_format: as of `strftime`, where the user says it.
        american: whether 01/02 is known to be January the second.

    Raises:
        DataError: the column's format is unknown, or two fit and differ.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return Dates(_typed(column), column.astype("string"), FORMATS["%Y-%m-%d"])
    text = _texts(column)
    codes, unique = pd.factorize(text, use_na_sentinel=False)  # a table of many tickers has each day many times
    words = pd.Series(np.asarray(unique, object)).astype("string").str.strip()
    counts = np.where(gaps(words), 0, np.bincount(codes, minlength=len(words)))
    if not counts.any():
        nothing = np.full(len(text), np.datetime64("NaT", "s"))
        return Dates(Stamps(nothing, nothing), text, FORMATS["%Y-%m-%d"])
    words = words.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True).where(counts > 0, "")
    stamps, expected = _read(words, counts, Examples(text, codes, counts > 0), date_format, american)
    return Dates(stamps.take(codes), text, expected)


def check_format(date_format: str) -> str:
    """A format of dates as `strftime` writes it; `DD/MM/YYYY` is taken too.

    Raises:
        InputError: it names no year, month and day.
    """
    words = date_format
    if "%" not in words:
        for word, directive in (("yyyy", "%Y"), ("yy", "%y"), ("mmm", "%b"), ("mm", "%m"), ("dd", "%d")):
            words = re.sub(word, directive, words, count=1, flags=re.IGNORECASE)
    whole = re.search(r"%[cxDF]|%s", words)
    if not whole and not (re.search("%[Yy]", words) and re.search("%[mbB]", words) and re.search("%d", words)):
        raise InputError(f"--date-format {date_format} names no year, month and day: expected such as %d/%m/%Y.")
    return words


def _typed(column: pd.Series) -> Stamps:
    wall = column.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    if column.dt.tz is None:
        return Stamps(wall, np.full(len(wall), np.datetime64("NaT", "s")))
    return Stamps(wall, column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]"))


def _texts(column: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(column.dtype):  # whole numbers, beside a gap
        column = column.astype("Float64").round().astype("Int64")
    return column.astype("string")


def _read(
    words: pd.Series, counts: np.ndarray, example: Examples, date_format: str | None, american: bool
) -> tuple[Stamps, str]:
    """The different values of a column, and how it writes dates."""
    if date_format is not None:
        return _said(words, counts, example, date_format), date_format
    if re.fullmatch(r"-?\d+(?:\.\d+)?", str(words[int(np.argmax(counts > 0))])):
        numbers = pd.to_numeric(words, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if not np.isnan(numbers[counts > 0]).any():
            return _numbers(numbers, words, counts, example)
    return read_words(words, counts, example, american)


def _said(words: pd.Series, counts: np.ndarray, example: Examples, date_format: str) -> Stamps:
    aware = "%z" in date_format
    parsed = pd.to_datetime(words, format=check_format(date_format), errors="coerce", utc=aware)
    if not counts[parsed.notna().to_numpy(bool)].sum():
        raise DataError(f"--date-format {date_format} does not fit the dates, such as {example.of()}.")
    return _typed(parsed)


def _numbers(numbers: np.ndarray, words: pd.Series, counts: np.ndarray, example: Examples) -> tuple[Stamps, str]:
    """`20130301`, seconds and parts of seconds since 1970, or Excel's days."""
    known = numbers[counts > 0]
    nothing = np.full(len(numbers), np.datetime64("NaT", "s"))
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
    # Units differ by thousands and dates do not; files that were joined may have two of them.
    scale = np.ones(len(numbers))
    if largest >= 1e11:
        scale = np.where(np.abs(numbers) >= 1e17, 1e9, np.where(np.abs(numbers) >= 1e14, 1e6, 1e3))
    seconds = np.floor(np.nan_to_num(numbers) / scale + 1e-6).astype("datetime64[s]")
    seconds = np.where(np.isnan(numbers), nothing, seconds)
    return Stamps(seconds, seconds), "seconds or milliseconds since 1970"
