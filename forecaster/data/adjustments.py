"""Adjusted closes that cannot be used, and splits on which events and prices disagree: corrected where certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Float, Shaped
from forecaster.data.bars import Column, positive

UNADJUSTED = "no adjusted close: splits and dividends will look like price moves"

SPLIT = 1.4
"""A split of at least this ratio, or of less than one part of it, stands out from a day's move."""

SLACK, NEAR_SLACK, EXACT = 0.15, 0.1, 0.04
"""How far a jump may be from the ratio: on the day of the event, beside it, and where there is no event."""

SAME = 2e-3
"""Relative: adjustments that differ by less differ by the rounding of a cheap stock's closes, hardly by a dividend."""

NEAR, NEAR_SPLIT = 2, 1.9
"""Rows by which an event may be dated before or after its prices change, and from what ratio on they are looked at."""

SLIP = 50
"""From here on a jump without an event is rather a slip of units, which `quality` finds."""

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Mismatch:
    """A split that events and prices do not agree on.

    Args:
        row: the first row on the new scale.
        split: the event's ratio, new shares for an old one; 0 where the prices jump without an event.
        factor: what the prices before `row` must be multiplied by.
        closes: whether the close jumps too, or the adjusted close alone.
    """

    row: int
    split: float
    factor: float
    closes: bool


def fill_adjusted(rows: Rows) -> tuple[str, ...]:
    """Put a usable adjusted close in the place of each that is missing, infinite or not above 0; a sentence each kind.

    Between two rows with the same adjustment it is theirs. Elsewhere the adjustment of the nearest row goes on, as if
    there had been no dividend and no split. Where no row has a usable one, the close serves.
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
    return tuple(_filled(rows, adjusted, wrong, certain))


def mismatches(close: Column, adjusted: Column, split: Column) -> list[Mismatch]:
    """Splits that were not applied to the prices before them, or twice to the adjusted closes, oldest first.

    A split is applied where the adjusted close goes on as if nothing had happened; raw closes may jump.

    Args:
        close, adjusted, split: of one ticker, ascending dates; split is 1 where there is none.
    """
    found: dict[int, Mismatch] = {}
    events = np.flatnonzero((split >= SPLIT) | ((split <= 1 / SPLIT) & (split > 0)))
    if not len(close) or not len(events):
        return []
    moves, raw = _moves(adjusted), _moves(close)
    for event in map(int, events):
        ratio = float(split[event])
        beside = [event + step for step in (-1, 1, -2, 2) if max(ratio, 1 / ratio) >= NEAR_SPLIT]
        for row in (event, *beside):
            slack = SLACK if row == event else NEAR_SLACK
            factor = _jump(moves, raw, row, ratio, slack) if row not in found else 0.0
            if factor:
                found[row] = Mismatch(row, ratio, factor, bool(abs(raw[row] / factor - 1) < slack))
                break
    return [found[row] for row in sorted(found)]


def unexplained(open: Column, close: Column, adjusted: Column, split: Column) -> list[Mismatch]:
    """Jumps that look like a split without an event: by a whole ratio from the close to the open and to the close.

    Also where the adjusted close alone jumps by one. A price may fall by half of itself, so these are only reported.
    """
    if len(close) < 2:
        return []
    moves, raw, opens = _moves(adjusted), _moves(close), np.ones(len(close))
    opens[1:] = open[1:] / close[:-1]
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
    """Bring the prices before a split that they do not have onto its scale; a sentence each, and one on other jumps."""
    jumps = unexplained(rows["open"], rows["close"], rows["adj_close"], rows["split"])
    more = f" and {len(jumps) - 1} more such" if len(jumps) > 1 else ""
    notes = [described(jumps[0], rows["dates"]) + more] if jumps else []
    for one in reversed(mismatches(rows["close"], rows["adj_close"], rows["split"])):
        before = np.arange(len(rows["close"])) < one.row
        for name in ("open", "high", "low", "close", "adj_close", "dividend") if one.closes else ("adj_close",):
            rows[name] = np.where(before, rows[name] / (1 / one.factor), rows[name])  # 100 / 7, not 100 · 0.142857…
        if one.closes and _volume_jumps(rows["volume"], one):
            rows["volume"] = np.where(before, rows["volume"] / one.factor, rows["volume"])
        problem = described(one, rows["dates"]).replace(" is ", " was ")
        notes.append(f"{problem}: the {one.row} rows before it were {_scaled(one.factor)}")
    return tuple(reversed(notes))


def described(one: Mismatch, dates: Shaped[np.ndarray, " time"]) -> str:
    """`the split of 10 on 2023-12-05 is not in the prices`."""
    what = "the prices" if one.closes else "the adjusted closes"
    if not one.split:
        return (
            f"{what} are {one.factor:g} times those before on {dates[one.row]}, as after a split, but none is given: "
            "if there was one, name it in a column split"
        )
    how = "is not in" if one.closes or one.factor != one.split else "is twice in"
    return f"the split of {one.split:g} on {dates[one.row]} {how} {what}"


def _factors(factor: Float[np.ndarray, " time"], usable: Bool[np.ndarray, " time"]) -> tuple[np.ndarray, np.ndarray]:
    """The adjustment of the nearest usable row at or before each row, else after; and where both sides are equal."""
    places = np.arange(len(usable))
    before = np.maximum.accumulate(np.where(usable, places, -1))
    after = np.minimum.accumulate(np.where(usable, places, len(usable))[::-1])[::-1]
    first, last = np.maximum(before, after[0]), np.minimum(after, before[-1])
    inside = (before >= 0) & (after < len(usable))
    return factor[first], inside & np.isclose(factor[first], factor[last], rtol=SAME)


def _filled(
    rows: Rows, adjusted: Column, wrong: Bool[np.ndarray, " time"], certain: Bool[np.ndarray, " time"]
) -> list[str]:
    notes = []
    for which, end in (
        (wrong & certain, "the adjustment of the rows around them was taken"),
        (wrong & ~certain, "the close serves there, so splits and dividends among them will look like price moves"),
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
    """Each price over the one before; 1 in the first row."""
    moves = np.ones(len(prices))
    moves[1:] = prices[1:] / prices[:-1]
    return moves


def _jump(moves: Column, raw: Column, row: int, ratio: float, slack: float) -> float:
    """By what the prices before a row must be multiplied; 0 where the split is no jump there.

    Args:
        moves, raw: of the adjusted and of the given close.
    """
    if not 0 < row < len(moves):
        return 0.0
    if abs(moves[row] * ratio - 1) < slack:
        return 1 / ratio
    return ratio if abs(moves[row] / ratio - 1) < slack and _calm(raw)[row] else 0.0


def _calm(raw: Column) -> Bool[np.ndarray, " time"]:
    """Where a close moves as on any day."""
    calm: np.ndarray = np.abs(np.log(raw)) < np.log(SPLIT) / 2
    return calm


def _volume_jumps(volume: Column, one: Mismatch) -> bool:
    """Whether volumes before and after are more alike once those before count new shares."""
    before, after = volume[max(0, one.row - 20) : one.row], volume[one.row : one.row + 20]
    if not (np.median(before) > 0 and np.median(after) > 0):
        return True
    apart = np.log(np.median(after) / np.median(before))
    return bool(abs(apart + np.log(one.factor)) <= abs(apart))


def _scaled(factor: float) -> str:
    return f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
