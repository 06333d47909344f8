"""Detect weekly, monthly and other candles that are not daily: read as daily, their moves would be too large."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.axes import Bool, Int, Shaped
from forecaster.data.bars import COLUMNS, Bars
from forecaster.errors import DataError

_INTERVALS = {
    "two days apart": (2, 2),
    "three days apart": (3, 3),
    "weekly": (5, 9),
    "a fortnight apart": (13, 15),
    "monthly": (26, 36),
    "quarterly": (85, 97),
    "yearly": (360, 371),
}
"""Range of days between two candles: holidays shift the last session of a week or month by some days."""

_AGAINST = 3
"""Weight of a gap outside the interval, against 1 for one inside: rarely traded tickers have gaps of all lengths."""

_ENOUGH, _FEW = 12, 4
"""Minimum weight of a stretch; `_FEW` if it covers nearly the whole history."""

_NEARLY_ALL = 0.8

_USEFUL = 20
"""Minimum number of daily candles after a stretch that is not daily; with fewer the ticker is rejected."""


def daily(bars: Bars) -> tuple[Bars, tuple[str, ...]]:
    """Keep the daily candles after the last stretch that is not daily; returns a note if any were dropped.

    Raises:
        DataError: the history ends with candles that are not daily, or too few daily candles remain.
    """
    found = _last_stretch(bars.dates)
    if found is None:
        return bars, ()
    name, first, last = found
    rest = len(bars) - last - 1
    span = f"from {bars.dates[first]} to {bars.dates[last]}"
    if rest < _USEFUL:
        days = int(np.median(np.diff(bars.dates[first : last + 1]).astype(int)))
        apart = name if name.endswith("apart") else f"{name} ({days} days apart)"
        raise DataError(
            f"{bars.ticker}: its {last - first + 1} candles {span} are {apart}: daily candles are expected."
        )
    kept = _from(bars, last + 1)
    note = f"the candles {span} are {name}, not daily: they and all earlier ones were dropped ({last + 1} rows)"
    return kept, (note,)


def not_daily(dates: Shaped[np.ndarray, " time"]) -> str | None:
    """The interval of the last stretch of candles that is not daily, such as `weekly`; None if there is none."""
    found = _last_stretch(dates)
    return found and found[0]


def _last_stretch(dates: Shaped[np.ndarray, " time"]) -> tuple[str, int, int] | None:
    """Interval name, first and last row of the last stretch of candles that is not daily."""
    gaps = np.diff(dates).astype("timedelta64[D]").astype(np.int64)
    if not _several_in_a_row(gaps > 1):  # a necessary condition, quick to test: one other gap outweighs three
        return None
    found: list[tuple[str, int, int]] = []
    for name, (low, high) in _INTERVALS.items():
        inside = (gaps >= low) & (gaps <= high)
        row = 0
        while inside[row:].sum() >= _FEW:
            begin, end, weight = _heaviest(np.where(inside[row:], 1, -_AGAINST))
            if weight < (_FEW if end - begin >= _NEARLY_ALL * len(gaps) else _ENOUGH):
                break
            found.append((name, row + begin, row + end))
            row += end
    return max(found, key=lambda one: one[2], default=None)


def _several_in_a_row(slow: Bool[np.ndarray, " gap"]) -> bool:
    count = max(len(slow) - _FEW + 1, 0)
    return bool(np.all([slow[at : at + count] for at in range(_FEW)], axis=0).any())


def _heaviest(weights: Int[np.ndarray, " gap"]) -> tuple[int, int, int]:
    """First row, last row and weight of the contiguous stretch of gaps with the largest sum (Kadane's algorithm)."""
    sums = np.concatenate([[0], np.cumsum(weights)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    # The last place of the lowest sum gives the shortest stretch of this weight.
    begin = int(np.flatnonzero(sums[: end + 1] == lowest[end])[-1])
    return begin, end, int(sums[end] - lowest[end])


def _from(bars: Bars, row: int) -> Bars:
    return replace(bars, **{name: getattr(bars, name)[row:] for name in ("dates", *COLUMNS)})
