"""Rolling correction of the bands' width beyond step 1, as far as the evidence goes.

The shift that centres each level on the last days has two parts. Its width is what it has in common with the shift of a
world in which up and down change places; the rest is drift, a bet that the market of the last year goes on rising or
falling. Only the width is corrected. And outcomes of neighbouring days overlap: at step 20 a year holds twelve that do
not, so little of its correction is used. `benchmarks/calibration` has this form beside others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.coherence import CLOSE, HIGH, LOW, OPEN

_HALF = 40.0
"""Outcomes without overlap at which half of a correction is used."""

_BINS, _REACH = 400, 10.0
"""Bins between −reach and reach, in units of scale·√step; errors beyond it count in the outermost."""

_MIRRORED = [OPEN, LOW, HIGH, CLOSE]
"""What the prices become when up and down change places."""


@dataclass(frozen=True, eq=False)
class Width:
    """Errors of one step and one exchange calendar, counted in bins.

    Each is added at the first update that knows its outcome and taken away at the first whose window has passed it:
    no window is sorted, and none is walked through in Python.

    Args:
        updates: dates of the corrections, as places in the panel's dates, ascending.
        window: sessions whose errors count.
    """

    updates: Int[np.ndarray, " update"]
    step: int
    window: int
    levels: tuple[float, ...]

    @cached_property
    def _changes(self) -> Int[np.ndarray, "update_and_one variable quantile bin"]:
        """Errors that an update has and the one before had not; the last is after all updates."""
        return np.zeros((len(self.updates) + 1, 4, len(self.levels), _BINS), np.int32)

    @cached_property
    def _known(self) -> Int[np.ndarray, " date"]:
        """For each date of origins, from the oldest in any window, the first update that knows one of its outcomes."""
        return np.full(self.updates[-1] - self._oldest + 1, len(self.updates))

    @property
    def _oldest(self) -> int:
        return int(self.updates[0]) - self.step - self.window + 1

    def add(
        self,
        origin: Shaped[np.ndarray, " origin"],
        outcome: Shaped[np.ndarray, " origin"],
        errors: Float[np.ndarray, "origin variable quantile"],
    ) -> None:
        """Take in errors.

        Args:
            origin: date of each, as a place in the panel's dates; outcome alike.
            errors: (outcome − quantile) / (scale·√step).
        """
        known, passed = np.searchsorted(self.updates, outcome), self._passed(origin)
        used = known < passed
        np.minimum.at(self._known, origin[used] - self._oldest, known[used])
        bins = np.clip((errors[used] / _REACH + 1) * (_BINS / 2), 0, _BINS - 1).astype(np.int64)
        cells = bins + _BINS * np.arange(4 * len(self.levels)).reshape(4, -1)
        changes, size = self._changes.reshape(-1), self._changes[0].size
        for update, change in ((known[used], 1), (passed[used], -1)):
            np.add.at(changes, (cells + size * update[:, None, None]).ravel(), np.int32(change))

    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """The width of the shift that centres each level, times n/(n + 40), n = dates in the window / step."""
        counts = np.cumsum(self._changes[:-1], axis=0, dtype=np.int32)
        shifts = _quantiles(counts, self.levels)
        mirrored = -shifts[:, _MIRRORED, ::-1]
        evidence = self._dates() / self.step
        shrunk: np.ndarray = (shifts + mirrored) / 2 * (evidence / (evidence + _HALF))[:, None, None]
        return shrunk

    def _passed(self, origin: Shaped[np.ndarray, " origin"]) -> Int[np.ndarray, " origin"]:
        """The first update whose window begins after an origin."""
        return np.searchsorted(self.updates, origin + self.step + self.window)

    def _dates(self) -> Int[np.ndarray, " update"]:
        """Dates of origins whose errors an update has."""
        passed = self._passed(self._oldest + np.arange(len(self._known)))
        used, size = self._known < passed, len(self.updates) + 1
        begun, ended = (np.bincount(one[used], minlength=size) for one in (self._known, passed))
        dates: np.ndarray = np.cumsum(begun - ended)[:-1]
        return dates


def _quantiles(
    counts: Int[np.ndarray, "update variable quantile bin"], levels: tuple[float, ...]
) -> Float[np.ndarray, "update variable quantile"]:
    """The quantile at each level, by counts of that level's own errors; within a bin they are taken to lie evenly."""
    up_to = np.cumsum(counts, axis=-1)
    wanted = np.array(levels)[:, None] * up_to[..., -1:]
    place = np.argmax(up_to >= wanted, axis=-1)[..., None]
    inside = np.take_along_axis(counts, place, axis=-1)
    before = np.take_along_axis(up_to, place, axis=-1) - inside
    found: np.ndarray = (place + (wanted - before) / np.maximum(inside, 1)) * (2 * _REACH / _BINS) - _REACH
    return found[..., 0]
