"""Text dates: detect the one format that fits a whole column, with time of day and time zone."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from forecaster.axes import Bool, Shaped
from forecaster.data.sources.faults import quote_value
from forecaster.errors import DataError

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
"""Known formats, after every separator is replaced by a hyphen → notation for messages."""

_STAMP = re.compile(
    r"^(?P<day>.+?)"
    r"(?:(?:T|,?\s+|\s+at\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?|GMT|E[SD]T|[A-Z][A-Za-z]+/[A-Za-z_]+)?|\s*(?P<alone>Z|UTC))?$"
)
_ZONES = {"Z": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4}
_ISO = r"\d{4}-\d\d-\d\d(?:[T ].*)?"


@dataclass(frozen=True)
class Stamps:
    """Timestamps of rows, as written and in UTC; NaT if unreadable.

    Args:
        wall: date and time of day as written, without time zone.
        instant: the same moment in UTC; NaT without a time zone, because then the exchange's own is meant.
    """

    wall: Shaped[np.ndarray, " row"]
    instant: Shaped[np.ndarray, " row"]

    def take(self, places: np.ndarray) -> Stamps:
        """Select rows by index."""
        return Stamps(self.wall[places], self.instant[places])


class Examples:
    """Values of a column with their rows, for messages.

    Args:
        codes: index of each row's value among the distinct values.
        given: mask of distinct values that are not gaps.
    """

    def __init__(self, text: pd.Series, codes: np.ndarray, given: Bool[np.ndarray, " value"]) -> None:
        self._text, self._codes, self._given = text, codes, given

    def of(self, value: int | None = None) -> str:
        """`'01/02/2013' in row 5`: the first row that is not a gap, or the first with distinct value number `value`."""
        place = int(np.argmax(self._given[self._codes] if value is None else self._codes == value))
        return f"{quote_value(self._text.iloc[place])} in row {self._text.index[place]}"


def parse_text_dates(
    words: pd.Series, counts: Shaped[np.ndarray, " value"], example: Examples, american: bool
) -> tuple[Stamps, str]:
    """Parse distinct texts; returns their stamps and the format.

    Args:
        counts: how often each occurs in the column; 0 for a gap.
        american: whether 01/02 is known to be January 2nd.

    Raises:
        DataError: no format fits most of them, or two formats fit with different results.
    """
    parts = _parts(words, counts > 0)
    day, kind = _days(parts["day"], counts, example, american)
    wall = day.astype("datetime64[s]") + _clock(parts)
    return Stamps(wall, _instants(wall, parts["zone"].fillna(parts["alone"]))), kind


def _parts(words: pd.Series, given: Bool[np.ndarray, " value"]) -> pd.DataFrame:
    """Split each text into day, time and zone."""
    if not words[given].str.fullmatch(_ISO).all():
        return _simplify(words).str.extract(_STAMP)
    # Fast path for ISO dates: parse each distinct time of day only once.
    codes, rests = pd.factorize(words.str.slice(10))
    parts = ("2000-01-01" + pd.Series(np.asarray(rests, object)).astype("string")).str.extract(_STAMP)
    spread = parts.iloc[codes].reset_index(drop=True)
    known = spread["day"].notna() & (spread["day"] == "2000-01-01")
    return spread.assign(day=words.str.slice(0, 10).where(known, words))


def _simplify(words: pd.Series) -> pd.Series:
    """Remove weekday names and zone names in brackets; replace East Asian year, month and day marks by hyphens."""
    bare = words.str.replace(
        r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", "", case=False, regex=True
    )
    bare = bare.str.replace(r"\s*\([^)]*\)$", "", regex=True)  # (Eastern Standard Time)
    bare = bare.str.replace(r"\s*[年月년월]\s*", "-", regex=True).str.replace(r"\s*[日일]", "", regex=True)
    bare = bare.str.replace(r"(\d)\.\s+(?=\d)", r"\1.", regex=True).str.replace(r"(\d)\.$", r"\1", regex=True)
    return bare.str.replace(r"^(\d{8})\s+(\d{2})(\d{2})(\d{2})$", r"\1 \2:\3:\4", regex=True)


def _days(
    written: pd.Series, counts: np.ndarray, example: Examples, american: bool
) -> tuple[Shaped[np.ndarray, " value"], str]:
    """Parse the dates with the one format that fits all values, or most."""
    codes, unique = pd.factorize(written.fillna("").str.strip())
    text = pd.Series(np.asarray(unique, object)).astype("string")
    shares = np.bincount(codes, counts, len(text))
    marked = text.str.replace(r"[\s/.,\-]+", "-", regex=True).str.strip("-")
    marked = marked.str.replace(r"([A-Za-z]{3})[a-z]*", r"\1", regex=True)
    fits = {pattern: _parse(marked, pattern) for pattern in FORMATS}
    share = {pattern: shares[~np.isnat(days)].sum() for pattern, days in fits.items()}
    most = max(share.values())
    if most <= counts.sum() / 2:
        raise DataError(f"{unknown_format(example)}.")
    best = [pattern for pattern in FORMATS if share[pattern] == most]
    chosen, other, place = _choose_format(best, fits, shares > 0, american or _has_points(text[shares > 0]), american)
    if other:
        value = int(np.flatnonzero(codes == place)[0])
        days = " or ".join(str(fits[pattern][place]) for pattern in (chosen, other))
        ways = " or ".join(f"--date-format {_with_slashes(pattern, text)}" for pattern in (chosen, other))
        raise DataError(f"the dates are ambiguous, {example.of(value)} may be {days}: set {ways}.")
    return fits[chosen][codes], FORMATS[chosen]


def _choose_format(
    best: list[str], fits: dict[str, np.ndarray], given: Bool[np.ndarray, " value"], settled: bool, american: bool
) -> tuple[str, str, int]:
    """The best format; if ambiguous, also a second one and the index of a value on which the two differ.

    Of two numbers the one with fewer distinct values is the year, because years change less often than days.
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


def _has_points(text: pd.Series) -> bool:
    """Whether all are written as 01.02.2013, which always means February 1st."""
    return bool(text.str.contains(".", regex=False).all())


def _parse(marked: pd.Series, pattern: str) -> Shaped[np.ndarray, " value"]:
    days = pd.to_datetime(marked, format=pattern, errors="coerce").to_numpy().astype("datetime64[D]")
    return _this_century(days) if "%y" in pattern else days


def _with_slashes(pattern: str, text: pd.Series) -> str:
    return pattern.replace("-", "/") if text.str.contains("/", regex=False).any() else pattern


def unknown_format(example: Examples) -> str:
    remedy = "set it, as in --date-format %d/%m/%Y"
    return f"unknown date format, such as {example.of()}: {remedy}"


def _this_century(days: Shaped[np.ndarray, " value"]) -> Shaped[np.ndarray, " value"]:
    """Two-digit years that would be in the future belong to the last century."""
    late = days > np.datetime64(dt.date.today()) + np.timedelta64(366, "D")
    months = days.astype("datetime64[M]")
    return np.where(late, (months - np.timedelta64(1200, "M")).astype("datetime64[D]") + (days - months), days)


def _clock(parts: pd.DataFrame) -> Shaped[np.ndarray, " value"]:
    """Time of day, in seconds."""
    hour, minute, second = (
        pd.to_numeric(parts[name]).fillna(0).to_numpy(np.int64) for name in ("hour", "minute", "second")
    )
    half = parts["half"].fillna("").str.lower().str.slice(0, 1)
    # 12 AM is midnight and 12 PM is noon.
    hour = np.where(half == "p", hour % 12 + 12, np.where(half == "a", hour % 12, hour))
    return (hour * 3600 + minute * 60 + second).astype("timedelta64[s]")


def _instants(wall: Shaped[np.ndarray, " value"], zone: pd.Series) -> Shaped[np.ndarray, " value"]:
    """Convert to UTC; NaT without a time zone."""
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
        # 12:00+05:30 is 06:30 UTC: a positive offset is subtracted.
        sign, hours, minutes = offset.group(1), int(offset.group(2)), int(offset.group(3) or 0)
        return wall - np.timedelta64((hours * 3600 + minutes * 60) * (1 if sign == "+" else -1), "s")
    try:
        local = pd.Series(wall).dt.tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="shift_forward")
    except (ZoneInfoNotFoundError, ValueError):
        return np.full(len(wall), np.datetime64("NaT", "s"))
    return local.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[s]")
