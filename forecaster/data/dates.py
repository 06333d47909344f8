"""Date arguments of the Python API: text, `date`, `datetime`, pandas' `Timestamp`, numpy's `datetime64`."""

from __future__ import annotations

import datetime as dt

import numpy as np

from forecaster.errors import InputError

DateLike = str | dt.date | np.datetime64
"""A date; `datetime` and `Timestamp` are subclasses of `date`, and their local date is used."""


def to_date(value: DateLike | None, name: str) -> dt.date | None:
    """Convert to `date`; None stays None.

    Args:
        name: the argument's name, for the message.

    Raises:
        InputError: it is not a date.
    """
    if value is None:
        return None
    given = value
    try:
        if isinstance(value, np.datetime64):
            value = value.astype("datetime64[D]").item()
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value.strip())
        if isinstance(value, dt.datetime):
            value = value.date()
        if type(value) is dt.date:
            return value
    except (ValueError, TypeError):  # text that is not a date, or pandas' NaT
        pass
    raise InputError(f"{name} is {str(given)!r}, expected a date such as 2013-03-01.")


def to_day(value: DateLike | None, name: str) -> np.datetime64 | None:
    """As `to_date`, but returns `datetime64[D]`."""
    date = to_date(value, name)
    return None if date is None else np.datetime64(date, "D")


def require_day(value: DateLike | None, name: str) -> np.datetime64:
    """As `to_day`, of a date that must be there.

    Raises:
        InputError: it is None, or not a date.
    """
    day = to_day(value, name)
    if day is None:
        raise InputError(f"{name} is None, expected a date such as 2013-03-01.")
    return day
