"""Split and dividend adjustment: fill unusable adjusted closes, apply splits missing from prices, report the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Float, Shaped
from forecaster.data.bars import Column, positive

UNADJUSTED = "no adjusted close: splits and dividends will look like price moves"

SPLIT = 1.4
"""Splits of at least this ratio, or at most its inverse, are distinguishable from a daily move."""

SLACK, NEAR_SLACK, EXACT = 0.15, 0.1, 0.04
"""Relative tolerance between jump and ratio: on the event's day, on a day next to it, and without an event."""

SAME = 2e-3
"""Relative: smaller differences between adjustment factors are rounding of a cheap stock's closes, not a dividend."""

NEAR, NEAR_SPLIT = 2, 1.9
"""An event may be dated up to `NEAR` rows off its price change; checked for ratios of at least `NEAR_SPLIT`."""

SLIP = 50
"""A larger jump without an event is more likely a unit error (such as pence), which `quality` reports."""

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Mismatch:
    """A split on which events and prices disagree.

    Args:
        row: the first row on the new scale.
        split: the event's ratio, new shares per old share; 0 if the prices jump without an event.
        factor: multiply the prices before `row` by this.
        closes: whether the close jumps as well, or only the adjusted close.
    """

    row: int
    split: float
    factor: float
    closes: bool


def fill_adjusted(rows: Rows) -> tuple[str, ...]:
    """Replace adjusted closes that are missing, infinite or ≤ 0; returns one note per kind of repair.

    Between two rows with the same adjustment factor (adj_close / close), that factor is used. Elsewhere the factor of
    the nearest usable row is carried on, as if there were no dividend or split. Without any usable row, adj_close is
    the close.
    """
    close, adjusted = rows["close"], rows["adj_close"]
    priced = positive(close)
    wrong = priced & ~positive(adjusted)
    usable = priced & positive(adjusted)
    if not usable.any():
        rows["adj_close"] = close.copy()
        given = wrong & ~np.isnan(adjusted)
        return (f"{UNADJUSTED} ({_value(rows, adjusted, given)} is not usable)" if given.any() else UNADJUSTED,)
    if not wrong.any():
        return ()
    factor, certain = _factors(np.where(usable, adjusted / np.where(priced, close, 1), np.nan), usable)
    rows["adj_close"] = np.where(wrong, close * factor, adjusted)
    return tuple(_fill_notes(rows, adjusted, wrong, certain))


def mismatches(close: Column, adjusted: Column, split: Column) -> list[Mismatch]:
    """Splits not applied to the prices before them, or applied twice to the adjusted closes, oldest first.

    A split is applied if the adjusted close is continuous across it; raw closes may jump.

    Args:
        close, adjusted, split: of one ticker, ascending dates; split is 1 on days without a split.
    """
    found: dict[int, Mismatch] = {}
    events = np.flatnonzero((split >= SPLIT) | ((split <= 1 / SPLIT) & (split > 0)))
    if not len(close) or not len(events):
        return []
    moves, raw = _moves(adjusted), _moves(close)
    for event in map(int, events):
        ratio = float(split[event])
        beside = [event + step for step in (-1, 1, -2, 2) if max(ratio, 1 / ratio) >= NEAR_SPLIT]
        # The nearest day first; a jump explains one event only.
        for row in (event, *beside):
            slack = SLACK if row == event else NEAR_SLACK
            factor = _jump(moves, raw, row, ratio, slack) if row not in found else 0.0
            if factor:
                found[row] = Mismatch(row, ratio, factor, bool(abs(raw[row] / factor - 1) < slack))
                break
    return [found[row] for row in sorted(found)]


def unexplained_jumps(open: Column, close: Column, adjusted: Column, split: Column) -> list[Mismatch]:
    """Jumps that look like a split without an event: close to next open and close to close, both by a whole ratio.

    Also jumps of the adjusted close alone. Prices can genuinely halve, so these are reported and not corrected.
    """
    if len(close) < 2:
        return []
    moves, raw, opens = _moves(adjusted), _moves(close), np.ones(len(close))
    opens[1:] = open[1:] / close[:-1]
    # A move of 0.2497 has whole 4 and ratio 1/4; one of 3.98 has whole 4 and ratio 4.
    whole = np.round(np.maximum(moves, 1 / moves))
    ratio = np.where(moves > 1, whole, 1 / whole)
    jumps = (whole >= 2) & (whole < SLIP) & (np.abs(moves / ratio - 1) < EXACT)
    together = (np.abs(opens / ratio - 1) < EXACT) & (np.abs(raw / ratio - 1) < EXACT)
    alone = _calm(raw)
    events = np.flatnonzero(split != 1)
    near = np.zeros(len(close), bool)
    near[np.clip(events[:, None] + np.arange(-NEAR, NEAR + 1), 0, len(close) - 1)] = True
    rows = np.flatnonzero(jumps & (together | alone) & ~near)
    return [Mismatch(int(row), 0.0, float(ratio[row]), bool(together[row])) for row in rows]


def apply_splits(rows: Rows) -> tuple[str, ...]:
    """Rescale the prices before each split missing from them; returns a note per split, and one on other jumps."""
    jumps = unexplained_jumps(rows["open"], rows["close"], rows["adj_close"], rows["split"])
    more = f" and {len(jumps) - 1} more such" if len(jumps) > 1 else ""
    notes = [describe(jumps[0], rows["dates"]) + more] if jumps else []
    for one in reversed(mismatches(rows["close"], rows["adj_close"], rows["split"])):
        before = np.arange(len(rows["close"])) < one.row
        for name in ("open", "high", "low", "close", "adj_close", "dividend") if one.closes else ("adj_close",):
            rows[name] = np.where(before, rows[name] / (1 / one.factor), rows[name])  # 100 / 7, not 100 · 0.142857…
        if one.closes and _volume_jumps(rows["volume"], one):
            rows["volume"] = np.where(before, rows["volume"] / one.factor, rows["volume"])
        problem = describe(one, rows["dates"]).replace(" is ", " was ")
        notes.append(f"{problem}: the {one.row} rows before it were {_scaling_text(one.factor)}")
    return tuple(reversed(notes))


def describe(one: Mismatch, dates: Shaped[np.ndarray, " time"]) -> str:
    """`the split of 10 on 2023-12-05 is not in the prices`."""
    what = "the prices" if one.closes else "the adjusted closes"
    if not one.split:
        return (
            f"{what} are {one.factor:g} times those before on {dates[one.row]}, as after a split, but none is given: "
            "if there was one, add it in a column named split"
        )
    how = "is not in" if one.closes or one.factor != one.split else "is twice in"
    return f"the split of {one.split:g} on {dates[one.row]} {how} {what}"


def _factors(factor: Float[np.ndarray, " time"], usable: Bool[np.ndarray, " time"]) -> tuple[np.ndarray, np.ndarray]:
    """Adjustment factor of the nearest usable row at or before each row, else after; and whether both sides agree.

    Example: usable factors 0.5 . . 0.5 . 1.0 → 0.5 0.5 0.5 0.5 0.5 1.0, certain except in the fifth row.
    """
    rows = np.arange(len(usable))
    before = np.maximum.accumulate(np.where(usable, rows, -1))
    after = np.minimum.accumulate(np.where(usable, rows, len(usable))[::-1])[::-1]
    first, last = np.maximum(before, after[0]), np.minimum(after, before[-1])
    inside = (before >= 0) & (after < len(usable))
    return factor[first], inside & np.isclose(factor[first], factor[last], rtol=SAME)


def _fill_notes(
    rows: Rows, adjusted: Column, wrong: Bool[np.ndarray, " time"], certain: Bool[np.ndarray, " time"]
) -> list[str]:
    notes = []
    for which, end in (
        (wrong & certain, "filled with the adjustment of the rows nearby"),
        (wrong & ~certain, "the close is used instead, so splits and dividends there will look like price moves"),
    ):
        if which.any():
            missing = np.isnan(adjusted[which]).all()
            what = "without an adjusted close" if missing else "without a usable adjusted close"
            first = (
                f"first {rows['dates'][np.argmax(which)]}"
                if missing
                else _value(rows, adjusted, which & ~np.isnan(adjusted))
            )
            notes.append(f"{int(which.sum())} of {len(wrong)} rows {what} ({first}): {end}")
    return notes


def _value(rows: Rows, adjusted: Column, which: Bool[np.ndarray, " time"]) -> str:
    at = int(np.argmax(which))
    return f"adj_close {adjusted[at]:g} on {rows['dates'][at]}"


def _moves(prices: Column) -> Float[np.ndarray, " time"]:
    """Price ratio to the previous row; 1 in the first row."""
    moves = np.ones(len(prices))
    moves[1:] = prices[1:] / prices[:-1]
    return moves


def _jump(moves: Column, raw: Column, row: int, ratio: float, slack: float) -> float:
    """Factor to multiply the prices before `row` by; 0 if there is no jump of this ratio at `row`.

    Args:
        moves, raw: row-to-row ratios of the adjusted close and of the raw close.
    """
    if not 0 < row < len(moves):
        return 0.0
    # A split of 10 missing from the prices is a fall to a tenth. If it was applied twice, the adjusted close rises
    # tenfold while the raw one stays calm.
    if abs(moves[row] * ratio - 1) < slack:
        return 1 / ratio
    return ratio if abs(moves[row] / ratio - 1) < slack and _calm(raw)[row] else 0.0


def _calm(raw: Column) -> Bool[np.ndarray, " time"]:
    """Where a close-to-close ratio is an ordinary daily move, not a split."""
    calm: np.ndarray = np.abs(np.log(raw)) < np.log(SPLIT) / 2
    return calm


def _volume_jumps(volume: Column, one: Mismatch) -> bool:
    """Whether the volumes before and after (medians of 20 rows) are closer once those before are in new shares."""
    before, after = volume[max(0, one.row - 20) : one.row], volume[one.row : one.row + 20]
    if not (np.median(before) > 0 and np.median(after) > 0):
        return True
    apart = np.log(np.median(after) / np.median(before))
    # In new shares the volume before is before / factor, which adds log(factor) to the distance.
    return bool(abs(apart + np.log(one.factor)) <= abs(apart))


def _scaling_text(factor: float) -> str:
    return f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
