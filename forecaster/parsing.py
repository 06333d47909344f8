"""Values of foreign JSON, made into types where they enter: a file may come from anywhere, or be damaged."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np

from forecaster.printable import quoted


def text(value: Any) -> str:
    """A string.

    Raises:
        TypeError: it is not one.
    """
    if not isinstance(value, str):
        raise TypeError(f"{quoted(value)} is not a string")
    return value


def texts(values: Any) -> tuple[str, ...]:
    """Strings.

    Raises:
        TypeError: it is not a list of strings.
    """
    if not isinstance(values, list | tuple):
        raise TypeError(f"{quoted(values)} is not a list")
    return tuple(map(text, values))


def whole(value: Any) -> int:
    """A whole number, 0 or more.

    Raises:
        TypeError, ValueError: it is not one.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{quoted(value)} is not a whole number")
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{quoted(value)} is out of range")
    return value


def number(value: Any) -> float:
    """A finite number.

    Raises:
        TypeError, ValueError, OverflowError: it is not one.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{quoted(value)} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{quoted(value)} is not finite")
    return float(value)


def date(value: Any) -> np.datetime64:
    """A date, from its ISO form.

    Raises:
        TypeError, ValueError: it is not one.
    """
    found = np.datetime64(dt.date.fromisoformat(text(value)), "D")  # numpy also reads "now" and the year 99999
    if np.isnat(found):
        raise ValueError(f"{quoted(value)} is not a date")
    return found
