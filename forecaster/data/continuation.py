"""Append a file to the stored history if both agree on their common days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.data import calendars
from forecaster.data.bars import COLUMNS, Bars

ROUNDING = 1e-5
"""Relative tolerance for equal prices that were written by different programs."""

_PRICES = ("open", "high", "low", "close")
_SPLIT_LIKE = 1.4
_WHOLE = "Export the whole history and fetch that: it replaces this one"


def merge(held: Bars, given: Bars) -> Bars | str:
    """Merge two histories of a ticker, or return why they cannot be merged.

    On common days prices must be equal up to rounding, in the precision of the one with fewer digits; the held candles
    are kept there. Without common days, one history must start on the session after the other's last.
    """
    if (held.currency, held.calendar) != (given.currency, given.calendar):
        return (
            f"the store has {held.currency} on {held.calendar}, the file {given.currency} on {given.calendar}: "
            f"set the same with --currency and --calendar"
        )
    shared = np.intersect1d(held.dates, given.dates)
    problem = _apart(held, given) if not len(shared) else _differing(_on(held, shared), _on(given, shared))
    if problem:
        return problem
    new = ~np.isin(given.dates, held.dates)
    given = _with_factor(held, given, shared)
    order = np.argsort(np.concatenate([held.dates, given.dates[new]]), kind="stable")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(held, name), getattr(given, name)[new]])[order] for name in ("dates", *COLUMNS)
    }
    return replace(held, **columns)


def _on(bars: Bars, days: np.ndarray) -> Bars:
    keep = np.isin(bars.dates, days)
    return replace(bars, dates=bars.dates[keep], **{name: getattr(bars, name)[keep] for name in COLUMNS})


def _apart(held: Bars, given: Bars) -> str:
    """Why histories without common days cannot be merged; empty if they can."""
    first, last = (held, given) if held.dates[-1] < given.dates[0] else (given, held)
    if first.dates[-1] > last.dates[0]:
        return f"it has no day in common with the stored history ({_extent(held)}) but lies within it. {_WHOLE}"
    missing = len(calendars.sessions_between(held.calendar, first.dates[-1], last.dates[0]))
    if missing:
        return (
            f"between {first.dates[-1]} and {last.dates[0]}, {missing} sessions are missing: use a file that starts "
            f"within the stored history ({_extent(held)})"
        )
    move = last.close[0] / first.close[-1]
    if max(move, 1 / move) >= _SPLIT_LIKE:
        return (
            f"it starts where the stored history ends, with {move:g} times its close: possibly a split. Use a file "
            f"that starts within the stored history ({_extent(held)})"
        )
    return ""


def _differing(held: Bars, given: Bars) -> str:
    """How the prices on common days differ; empty if they do not."""
    mine, theirs = held.ohlc, given.ohlc
    slack = _slack(mine, theirs)
    different = np.abs(theirs - mine) > slack
    if different.any():
        ratio = float(np.median(theirs / mine))
        if (np.abs(theirs - mine * ratio) <= _slack(mine * ratio, theirs)).all():
            return (
                f"its prices are {ratio:g} times the stored ones on all {len(held)} common days, {_guess(ratio)}. "
                f"{_WHOLE}"
            )
        row, column = (int(place[0]) for place in np.nonzero(different))
        return (
            f"{_PRICES[column]} on {held.dates[row]} is {mine[row, column]:g} in the store and "
            f"{theirs[row, column]:g} in the file, different on {int(different.any(axis=1).sum())} of the {len(held)} "
            "common days"
        )
    if _unadjusted(given):
        return ""
    return _differing_adjustment(held, given)


def _differing_adjustment(held: Bars, given: Bars) -> str:
    different = np.abs(given.adj_close - held.adj_close) > _slack(held.adj_close, given.adj_close)
    if not different.any():
        return ""
    ratio = float(np.median(given.adj_close / held.adj_close))
    if (np.abs(given.adj_close - held.adj_close * ratio) <= _slack(held.adj_close * ratio, given.adj_close)).all():
        return (
            f"its adjusted closes are {ratio:.6g} times the stored ones on all {len(held)} common days, as after a "
            f"new dividend. {_WHOLE}"
        )
    row = int(np.argmax(different))
    return (
        f"adj_close on {held.dates[row]} is {held.adj_close[row]:g} in the store and {given.adj_close[row]:g} in the "
        f"file, different on {int(different.sum())} of the {len(held)} common days"
    )


def _slack(mine: Float[np.ndarray, ...], theirs: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Tolerance for equal prices: half a unit of the last decimal digit that both have, at most 0.5 %."""
    digits = min(_digits(mine), _digits(theirs))
    half = np.minimum(0.5 * 10.0**-digits * (1 + 1e-6), 0.005 * np.abs(mine))
    slack: np.ndarray = np.maximum(half, ROUNDING * np.abs(mine))
    return slack


def _digits(prices: Float[np.ndarray, ...]) -> int:
    """Decimal places needed to write all of the prices exactly, at most 9."""
    return next((digits for digits in range(9) if np.allclose(prices, np.round(prices, digits), 1e-9, 0)), 9)


def _unadjusted(bars: Bars) -> bool:
    return np.array_equal(bars.adj_close, bars.close)


def _with_factor(held: Bars, given: Bars, shared: np.ndarray) -> Bars:
    """Give a file without adjusted closes the stored adjustment factors."""
    if not len(shared) or not _unadjusted(given) or _unadjusted(held):
        return given
    mine = _on(held, shared)
    factors = mine.adj_close / mine.close
    places = np.clip(np.searchsorted(shared, given.dates, "right") - 1, 0, None)
    return replace(given, adj_close=given.close * factors[places])


def _guess(ratio: float) -> str:
    """The likely cause of a ratio of prices."""
    if round(ratio, 6) in (100, 0.01):
        return "as where one is in pence or cents, or after a split"
    whole = round(max(ratio, 1 / ratio))
    if abs(max(ratio, 1 / ratio) / whole - 1) < 1e-3 and whole > 1:
        return f"as after a split of {whole} for 1" if ratio < 1 else f"as after a split of 1 for {whole}"
    return "as after a split or another adjustment"


def _extent(bars: Bars) -> str:
    return f"{bars.dates[0]} to {bars.dates[-1]}"
