"""On-disk cache of exchange calendars: importing the library that computes them takes a second.

One JSON file per calendar in the user's cache folder, below the library's version. An unreadable file is recreated; a
missing or read-only folder only costs time, a second in each process.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.axes import Shaped
from forecaster.errors import OutsideError
from forecaster.files import read_text, write_text
from forecaster.places import cache_folder

_in_memory: dict[tuple[Path | None, str], Calendar] = {}
"""Fallback cache of this process, for a folder that cannot be written: (folder, name) → calendar."""

_FORMAT = 2
"""Increase when the contents of the file or their computation change."""

_LARGEST = 1 << 22
"""Bytes of a calendar: seventy years take 150 kB."""

_DAYS = ("sessions", "surprises")


@dataclass(frozen=True, eq=False)
class Calendar:
    """An exchange's sessions from `first` to `last`, inclusive; its holidays are known from `earliest` to `latest`.

    Args:
        surprises: closures announced less than a month ahead, between `first` and `last`.
    """

    earliest: np.datetime64
    latest: np.datetime64
    weekmask: str
    zone: str
    first: np.datetime64
    last: np.datetime64
    sessions: Shaped[np.ndarray, " time"]
    surprises: Shaped[np.ndarray, " closure"]

    def covers(self, first: np.datetime64, last: np.datetime64) -> bool:
        return bool(self.first <= first and last <= self.last)


def read_calendar(name: str) -> Calendar | None:
    """The cached calendar; None if it is missing or unreadable."""
    folder = _folder()
    if folder is not None:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            values = json.loads(read_text(_path(folder, name), _LARGEST))
            if values.pop("format") == _FORMAT and values.pop("name") == name and _is_sound(one := _calendar(**values)):
                return one
    return _in_memory.get((folder, name))


def write_calendar(name: str, calendar: Calendar) -> None:
    """Cache a calendar on disk, or in memory if the folder cannot be written."""
    folder = _folder()
    if folder is None:
        _in_memory[folder, name] = calendar
        return
    dates = {key: str(getattr(calendar, key)) for key in ("earliest", "latest", "first", "last")}
    days = {key: getattr(calendar, key).astype("datetime64[D]").astype(int).tolist() for key in _DAYS}
    values = {"format": _FORMAT, "name": name, "weekmask": calendar.weekmask, "zone": calendar.zone} | dates | days
    try:
        write_text(_path(folder, name), json.dumps(values))
    except OutsideError:
        _in_memory[folder, name] = calendar


def _calendar(weekmask: str, zone: str, **values: Any) -> Calendar:
    found: dict[str, Any] = {key: np.array(values.pop(key), np.int64).astype("datetime64[D]") for key in _DAYS}
    found |= {key: np.datetime64(date, "D") for key, date in values.items()}
    return Calendar(weekmask=str(weekmask), zone=str(zone), **found)


def _is_sound(one: Calendar) -> bool:
    """Whether a file's values make a calendar: a damaged one would move sessions, or fail much later.

    Raises:
        ValueError, LookupError: its time zone or one of its dates is none.
    """
    ZoneInfo(one.zone)
    days = one.sessions
    return bool(
        re.fullmatch("(?=.*1)[01]{7}", one.weekmask)
        and one.earliest <= one.first <= one.last <= one.latest
        and len(days)
        and (np.diff(days) > np.timedelta64(0, "D")).all()
        and one.first <= days[0]
        and days[-1] <= one.last
        and not np.isnat(one.surprises).any()
    )


def _path(folder: Path, name: str) -> Path:
    """Hash as file name: a calendar may be called 24/7, or any text read from a file."""
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"


@cache
def _folder() -> Path | None:
    import importlib.metadata

    folder = cache_folder()
    return folder and folder / "sessions" / importlib.metadata.version("exchange_calendars")
