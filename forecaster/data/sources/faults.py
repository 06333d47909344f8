"""What cannot be read in a table, row by row: one bad row fails its own ticker only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from forecaster.axes import Bool


class Faults:
    """Sentences on rows of a table, by the row's place.

    Args:
        rows: the label of each row in the file, for the sentences.
    """

    def __init__(self, rows: Sequence[object]) -> None:
        self._rows = rows
        self._found: dict[int, str] = {}

    def add(self, wrong: Bool[np.ndarray, " row"], problem: Callable[[object, object], str], column: pd.Series) -> None:
        """Note what is wrong in some rows, told by label and value; what was noted of a row before stays."""
        for place in np.flatnonzero(wrong):
            self._found.setdefault(int(place), problem(self._rows[int(place)], column.iloc[int(place)]))

    def first(self, places: Sequence[int]) -> str | None:
        """The sentence on the first of these rows that has one."""
        if not self._found:
            return None
        return next((self._found[place] for place in places if place in self._found), None)


def shown(value: object) -> str:
    """`'ten'`, or `empty`."""
    return "empty" if pd.isna(value) or not str(value).strip() else repr(str(value).strip())  # type: ignore[call-overload]
