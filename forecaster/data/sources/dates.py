"""A column of dates → stamps: one format a column, found from all its values, or the one that the user says."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from forecaster.axes import Bool, Shaped
from forecaster.data.sources.faults import shown
from forecaster.data.sources.numbers import gaps
from forecaster.errors import DataError, InputError

FORMATS = {
    "%Y-%m-%d": "YYYY-MM-DD",
    "%m-%d-%Y": "MM/DD/YYYY",
    "%d-%m-%Y": "DD/MM/YYYY",
    "%m-%d-%y": "MM/DD/YY",
    "%d-%m-%y": "DD/MM/YY",
    "%b-%d-%Y": "Mon DD, YYYY",
    "%d-%b-%Y": "DD-Mon-YYYY",
    "%Y-%b-%d": "YYYY-Mon-DD",
    "%d-%b-%y": "DD-Mon-YY",
    "%b-%d-%y": "Mon DD, YY",
    "%y-%m-%d": "YY-MM-DD",
    "%Y%m%d": "YYYYMMDD",
}
"""What is looked for, once every mark between the parts is a hyphen, and how a user would write it."""

_STAMP = re.compile(
    r"^(?P<day>.+?)"
    r"(?:(?:T|,?\s+|\s+at\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?|GMT|E[SD]T|[A-Z][A-Za-z]+/[A-Za-z_]+)?|\s*(?P<alone>Z|UTC))?$"
)
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4}
_DAY = 86_400
_LEAST, _MOST = 1e8, 1e20  # a number below is no moment: rows are numbered so, and Excel numbers days
_EXCEL = (10_000, 80_000)  # days since 1899-12-30: 1927 to 2119


@dataclass(frozen=True)
class Stamps:
    """When each row was, as it is written and, where it says its zone, in UTC; NaT where it cannot be read.

    Args:
        wall: date and time of day as they are written.
        instant: the same moment in UTC; NaT where no zone is given, for then the exchange's own is meant.
    """

    wall: Shaped[np.ndarray, " row"]
    instant: Shaped[np.ndarray, " row"]

    def take(self, places: np.ndarray) -> Stamps:
        """Some of the rows."""
        return Stamps(self.wall[places], self.instant[places])


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
    stamps, expected = _read(words, counts, _Examples(text, codes, counts > 0), date_format, american)
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


class _Examples:
    """Values of a column with their rows, for messages.

    Args:
        codes: which of the different values each row has.
        given: which of those are no gaps.
    """

    def __init__(self, text: pd.Series, codes: np.ndarray, given: Bool[np.ndarray, " value"]) -> None:
        self._text, self._codes, self._given = text, codes, given

    def of(self, value: int | None = None) -> str:
        """`'01/02/2013' in row 5`: the first row, or the first that has a value."""
        place = int(np.argmax(self._given[self._codes] if value is None else self._codes == value))
        return f"{shown(self._text.iloc[place])} in row {self._text.index[place]}"


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
    words: pd.Series, counts: np.ndarray, example: _Examples, date_format: str | None, american: bool
) -> tuple[Stamps, str]:
    """The different values of a column, and how it writes dates."""
    if date_format is not None:
        return _said(words, counts, example, date_format), date_format
    numbers = pd.to_numeric(words, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if counts.sum() and not np.isnan(numbers[counts > 0]).any():
        return _numbers(numbers, words, counts, example)
    parts = _plain(words).str.extract(_STAMP)
    day, kind = _days(parts["day"], counts, example, american)
    wall = day.astype("datetime64[s]") + _clock(parts)
    return Stamps(wall, _instants(wall, parts["zone"].fillna(parts["alone"]))), kind


def _said(words: pd.Series, counts: np.ndarray, example: _Examples, date_format: str) -> Stamps:
    aware = "%z" in date_format
    parsed = pd.to_datetime(words, format=check_format(date_format), errors="coerce", utc=aware)
    if not counts[parsed.notna().to_numpy(bool)].sum():
        raise DataError(f"--date-format {date_format} does not fit the dates, such as {example.of()}.")
    return _typed(parsed)


def _numbers(numbers: np.ndarray, words: pd.Series, counts: np.ndarray, example: _Examples) -> tuple[Stamps, str]:
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
        raise DataError(f"{_unknown(example)}.")
    # Units differ by thousands and dates do not; files that were joined may have two of them.
    scale = np.ones(len(numbers))
    if largest >= 1e11:
        scale = np.where(np.abs(numbers) >= 1e17, 1e9, np.where(np.abs(numbers) >= 1e14, 1e6, 1e3))
    seconds = np.floor(np.nan_to_num(numbers) / scale + 1e-6).astype("datetime64[s]")
    seconds = np.where(np.isnan(numbers), nothing, seconds)
    return Stamps(seconds, seconds), "seconds or milliseconds since 1970"


def _plain(words: pd.Series) -> pd.Series:
    """Without the day of the week, and with hyphens for the year, month and day of East Asia."""
    bare = words.str.replace(
        r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", "", case=False, regex=True
    )
    bare = bare.str.replace(r"\s*\([^)]*\)$", "", regex=True)  # (Eastern Standard Time)
    bare = bare.str.replace(r"\s*[年月년월]\s*", "-", regex=True).str.replace(r"\s*[日일]", "", regex=True)
    bare = bare.str.replace(r"(\d)\.\s+(?=\d)", r"\1.", regex=True).str.replace(r"(\d)\.$", r"\1", regex=True)
    return bare.str.replace(r"^(\d{8})\s+(\d{2})(\d{2})(\d{2})$", r"\1 \2:\3:\4", regex=True)


def _days(
    written: pd.Series, counts: np.ndarray, example: _Examples, american: bool
) -> tuple[Shaped[np.ndarray, " value"], str]:
    """The date of each value by the one format that fits them all, or most."""
    codes, unique = pd.factorize(written.fillna("").str.strip())
    text = pd.Series(np.asarray(unique, object)).astype("string")
    shares = np.bincount(codes, counts, len(text))
    marked = text.str.replace(r"[\s/.,\-]+", "-", regex=True).str.strip("-")
    marked = marked.str.replace(r"([A-Za-z]{3})[a-z]*", r"\1", regex=True)
    fits = {pattern: _parsed(marked, pattern) for pattern in FORMATS}
    share = {pattern: shares[~np.isnat(days)].sum() for pattern, days in fits.items()}
    most = max(share.values())
    if most <= counts.sum() / 2:
        raise DataError(f"{_unknown(example)}.")
    best = [pattern for pattern in FORMATS if share[pattern] == most]
    chosen, other, place = _chosen(best, fits, shares > 0, american or _pointed(text[shares > 0]), american)
    if other:
        value = int(np.flatnonzero(codes == place)[0])
        days = " or ".join(str(fits[pattern][place]) for pattern in (chosen, other))
        ways = " or ".join(f"--date-format {_slashed(pattern, text)}" for pattern in (chosen, other))
        raise DataError(f"the dates can be read in two ways, {example.of(value)} as {days}: say {ways}.")
    return fits[chosen][codes], FORMATS[chosen]


def _chosen(
    best: list[str], fits: dict[str, np.ndarray], given: Bool[np.ndarray, " value"], settled: bool, american: bool
) -> tuple[str, str, int]:
    """The format that is meant; where that is open, another one too and the place of a value in which they differ.

    A year changes less often than a day; that settles which of two numbers is the year.
    """

    def years(pattern: str) -> int:
        return len(np.unique(fits[pattern][given].astype("datetime64[Y]")))

    best = [pattern for pattern in best if years(pattern) == min(map(years, best))]
    chosen = best[0]
    for other in best[1:]:
        differ = (fits[chosen] != fits[other]) & given & ~np.isnat(fits[chosen])
        if differ.any() and not settled:
            return chosen, other, int(np.argmax(differ))
        chosen = other if differ.any() and not american else chosen
    return chosen, "", 0


def _pointed(text: pd.Series) -> bool:
    """Whether all are written as 01.02.2013: February the first, wherever people write it so."""
    return bool(text.str.contains(".", regex=False).all())


def _parsed(marked: pd.Series, pattern: str) -> Shaped[np.ndarray, " value"]:
    days = pd.to_datetime(marked, format=pattern, errors="coerce").to_numpy().astype("datetime64[D]")
    return _this_century(days) if "%y" in pattern else days


def _slashed(pattern: str, text: pd.Series) -> str:
    return pattern.replace("-", "/") if text.str.contains("/", regex=False).any() else pattern


def _unknown(example: _Examples) -> str:
    remedy = "say it with --date-format, as in --date-format %d/%m/%Y"
    return f"the dates are in no known format, such as {example.of()}: {remedy}"


def _this_century(days: Shaped[np.ndarray, " value"]) -> Shaped[np.ndarray, " value"]:
    """Two digits of a year that is to come mean the last century."""
    late = days > np.datetime64(dt.date.today()) + np.timedelta64(366, "D")
    months = days.astype("datetime64[M]")
    return np.where(late, (months - np.timedelta64(1200, "M")).astype("datetime64[D]") + (days - months), days)


def _clock(parts: pd.DataFrame) -> Shaped[np.ndarray, " value"]:
    """Time of day, in seconds."""
    hour, minute, second = (
        pd.to_numeric(parts[name]).fillna(0).to_numpy(np.int64) for name in ("hour", "minute", "second")
    )
    half = parts["half"].fillna("").str.lower().str.slice(0, 1)
    hour = np.where(half == "p", hour % 12 + 12, np.where(half == "a", hour % 12, hour))
    return (hour * 3600 + minute * 60 + second).astype("timedelta64[s]")


def _instants(wall: Shaped[np.ndarray, " value"], zone: pd.Series) -> Shaped[np.ndarray, " value"]:
    """In UTC, where a zone is written."""
    instants = np.full(len(wall), np.datetime64("NaT", "s"))
    for name in zone.dropna().unique():
        here = (zone == name).fillna(False).to_numpy(bool)
        instants[here] = _utc(wall[here], str(name))
    return instants


def _utc(wall: Shaped[np.ndarray, " value"], zone: str) -> Shaped[np.ndarray, " value"]:
    if zone in _ZONES:
        return wall - np.timedelta64(_ZONES[zone] * 3600, "s")
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})?", zone)
    if offset:
        sign, hours, minutes = offset.group(1), int(offset.group(2)), int(offset.group(3) or 0)
        return wall - np.timedelta64((hours * 3600 + minutes * 60) * (1 if sign == "+" else -1), "s")
    try:
        local = pd.Series(wall).dt.tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="shift_forward")
    except (ZoneInfoNotFoundError, ValueError):
        return np.full(len(wall), np.datetime64("NaT", "s"))
    return local.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]")
