"""Unreadable values of a table by row, so that a bad row only fails its own ticker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from forecaster.axes import Bool
from forecaster.printable import quoted


class Faults:
    """Error messages by row index.

    Args:
        rows: label of each row in the file, for the messages.
    """

    def __init__(self, rows: Sequence[object]) -> None:
        self._rows = rows
        self._found: dict[int, str] = {}

    def add(self, wrong: Bool[np.ndarray, " row"], problem: Callable[[object, object], str], column: pd.Series) -> None:
        """Record an error for the rows in `wrong`, from row label and value; the first error of a row is kept."""
        for place in np.flatnonzero(wrong):
            self._found.setdefault(int(place), problem(self._rows[int(place)], column.iloc[int(place)]))

    def first(self, places: Sequence[int]) -> str | None:
        """The message of the first of these rows that has one."""
        if not self._found:
            return None
        return next((self._found[place] for place in places if place in self._found), None)


def quote_value(value: object) -> str:
    """`'ten'`, or `empty`."""
    return "empty" if pd.isna(value) or not str(value).strip() else quoted(str(value).strip())  # type: ignore[call-overload]
