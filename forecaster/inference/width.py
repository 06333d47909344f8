"""Rolling correction of the bands' width at steps beyond 1, shrunk to the amount of evidence.

The shift that would make each level's coverage exact on recent days has two parts, width and drift. Mirror the world
(swap up and down, so high becomes low): the width part is what the shifts of both worlds have in common; the rest is
drift, a bet that last year's rise or fall continues. Only the width part is used. Example: shifts of −0.3 at 5 % and
+0.5 at 95 % are a width part of −0.4 and +0.4, and a drift of +0.1.

Outcomes of neighbouring days overlap: at step 20 a year holds only twelve that do not, so little of its correction is
used. `benchmarks/calibration` compares this with alternatives.

Shapes: `counts` and `_changes` are "update variable quantile bin", error histograms by update, price and level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.coherence import CLOSE, HIGH, LOW, OPEN
from forecaster.inference.errorwindow import Errors, ErrorWindow, Origins

_HALF = 40.0
"""Number of non-overlapping outcomes at which half of the correction is used."""

_BINS, _REACH = 400, 10.0
"""Bins between −reach and reach, in units of scale·√step; errors beyond it count in the outermost."""

_MIRRORED = [OPEN, LOW, HIGH, CLOSE]
"""The prices after swapping up and down: high ↔ low."""


@dataclass(frozen=True, eq=False)
class Width(ErrorWindow):
    """Histograms of the errors of one step and one exchange calendar, and the corrections from them.

    An error is added at the first update that knows its outcome and subtracted at the first whose window has passed
    it. A cumulative sum over updates then gives every window's histogram, without sorting or looping over windows.
    """

    @cached_property
    def _changes(self) -> Int[np.ndarray, "update_and_one variable quantile bin"]:
        """Change of the histograms at each update; the extra last row collects what comes after all updates."""
        return np.zeros((len(self.updates) + 1, 4, len(self.levels), _BINS), np.int32)

    @cached_property
    def _known(self) -> Int[np.ndarray, " date"]:
        """For each origin date, from the oldest in any window on, the first update that knows one of its outcomes."""
        return np.full(self.updates[-1] - self._oldest + 1, len(self.updates))

    @property
    def _oldest(self) -> int:
        return int(self.updates[0]) - self.step - self.window + 1

    def add(self, origin: Origins, outcome: Origins, errors: Errors) -> None:
        # The same window as in `Shift`: an update u counts origins with u − step − window < origin and outcome ≤ u.
        known, passed = np.searchsorted(self.updates, outcome), self._passed(origin)
        # False for an outcome that comes after its window has closed: a halted ticker's.
        used = known < passed
        # `at`, because a date occurs once for each ticker: with plain fancy indexing one of them would win.
        np.minimum.at(self._known, origin[used] - self._oldest, known[used])
        # Error −10 → bin 0, 0 → 200, 10 and beyond → 399.
        bins = np.clip((errors[used] / _REACH + 1) * (_BINS / 2), 0, _BINS - 1).astype(np.int64)
        # Flat index into [update, variable, quantile, bin]: bin + bins · (variable, quantile) + size · update.
        cells = bins + _BINS * np.arange(4 * len(self.levels)).reshape(4, -1)
        changes, size = self._changes.reshape(-1), self._changes[0].size
        # +1 from the update on that knows the outcome, −1 from the one whose window has passed the origin.
        for update, change in ((known[used], 1), (passed[used], -1)):
            np.add.at(changes, (cells + size * update[:, None, None]).ravel(), np.int32(change))

    def corrections(self) -> Float[np.ndarray, "update variable quantile"]:
        """Width part of the exact-coverage shift of each level, times n / (n + 40), n = dates in the window / step."""
        counts = np.cumsum(self._changes[:-1], axis=0, dtype=np.int32)
        shifts = _quantiles(counts, self.levels)
        # The mirrored world: prices swapped, levels reversed (5 % ↔ 95 %), signs flipped.
        mirrored = -shifts[:, _MIRRORED, ::-1]
        evidence = self._dates() / self.step
        shrunk: np.ndarray = (shifts + mirrored) / 2 * (evidence / (evidence + _HALF))[:, None, None]
        return shrunk

    def _passed(self, origin: Shaped[np.ndarray, " origin"]) -> Int[np.ndarray, " origin"]:
        """The first update whose window starts after an origin."""
        return np.searchsorted(self.updates, origin + self.step + self.window)

    def _dates(self) -> Int[np.ndarray, " update"]:
        """Number of origin dates in each update's window."""
        passed = self._passed(self._oldest + np.arange(len(self._known)))
        used, size = self._known < passed, len(self.updates) + 1
        # As with the errors: +1 where a date enters the windows, −1 where it leaves them.
        begun, ended = (np.bincount(one[used], minlength=size) for one in (self._known, passed))
        dates: np.ndarray = np.cumsum(begun - ended)[:-1]
        return dates


def _quantiles(
    counts: Int[np.ndarray, "update variable quantile bin"], levels: tuple[float, ...]
) -> Float[np.ndarray, "update variable quantile"]:
    """The quantile at each level of that level's own errors; within a bin errors are taken as uniform."""
    up_to = np.cumsum(counts, axis=-1)
    wanted = np.array(levels)[:, None] * up_to[..., -1:]
    # The first bin whose cumulative count is enough; argmax finds the first True. An empty histogram gives −reach at
    # every level, which the mirrored world cancels.
    place = np.argmax(up_to >= wanted, axis=-1)[..., None]
    inside = np.take_along_axis(counts, place, axis=-1)
    before = np.take_along_axis(up_to, place, axis=-1) - inside
    found: np.ndarray = (place + (wanted - before) / np.maximum(inside, 1)) * (2 * _REACH / _BINS) - _REACH
    return found[..., 0]
