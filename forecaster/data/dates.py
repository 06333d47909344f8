"""Dates as people have them in Python: text, `date`, pandas' `Timestamp`, numpy's `datetime64`."""

from __future__ import annotations

import datetime as dt

import numpy as np

from forecaster.errors import InputError

DateLike = str | dt.date | np.datetime64
"""A day; `datetime` and `Timestamp` are dates too, and mean the day on their own clock."""


def to_date(value: DateLike | None, name: str) -> dt.date | None:
    """The day that is meant; None for None.

    Args:
        name: of the argument, for the message.

    Raises:
        InputError: it is no day.
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
    except (ValueError, TypeError):  # text that is no date, or pandas' NaT
        pass
    raise InputError(f"{name} is {str(given)!r}, expected a date such as 2013-03-01.")


def to_day(value: DateLike | None, name: str) -> np.datetime64 | None:
    """As `to_date`, for arrays of days."""
    date = to_date(value, name)
    return None if date is None else np.datetime64(date, "D")
