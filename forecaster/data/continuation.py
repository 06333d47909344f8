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


def merge(stored: Bars, fresh: Bars) -> Bars | str:
    """Merge two histories of a ticker, or return why they cannot be merged.

    On common days prices must be equal up to rounding, in the precision of the one with fewer digits; there the stored
    candles are kept. Without common days, one history must start on the session after the other's last.
    """
    if (stored.currency, stored.calendar) != (fresh.currency, fresh.calendar):
        return (
            f"the store has {stored.currency} on {stored.calendar}, the file {fresh.currency} on {fresh.calendar}: "
            f"set the same with --currency and --calendar"
        )
    shared = np.intersect1d(stored.dates, fresh.dates)
    problem = (
        _gap_problem(stored, fresh)
        if not len(shared)
        else _price_problem(_select_dates(stored, shared), _select_dates(fresh, shared))
    )
    if problem:
        return problem
    is_new = ~np.isin(fresh.dates, stored.dates)
    fresh = _with_factor(stored, fresh, shared)
    order = np.argsort(np.concatenate([stored.dates, fresh.dates[is_new]]), kind="stable")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(stored, name), getattr(fresh, name)[is_new]])[order]
        for name in ("dates", *COLUMNS)
    }
    return replace(stored, **columns)


def _select_dates(bars: Bars, days: np.ndarray) -> Bars:
    keep = np.isin(bars.dates, days)
    return replace(bars, dates=bars.dates[keep], **{name: getattr(bars, name)[keep] for name in COLUMNS})


def _gap_problem(stored: Bars, fresh: Bars) -> str:
    """Why histories without common days cannot be merged; empty if they can."""
    first, last = (stored, fresh) if stored.dates[-1] < fresh.dates[0] else (fresh, stored)
    if first.dates[-1] > last.dates[0]:
        return f"it has no day in common with the stored history ({_extent(stored)}) but lies within it. {_WHOLE}"
    missing = len(calendars.sessions_between(stored.calendar, first.dates[-1], last.dates[0]))
    if missing:
        return (
            f"between {first.dates[-1]} and {last.dates[0]}, {missing} sessions are missing: use a file that starts "
            f"within the stored history ({_extent(stored)})"
        )
    move = last.close[0] / first.close[-1]
    if max(move, 1 / move) >= _SPLIT_LIKE:
        return (
            f"it starts where the stored history ends, with {move:g} times its close: possibly a split. Use a file "
            f"that starts within the stored history ({_extent(stored)})"
        )
    return ""


def _price_problem(stored: Bars, fresh: Bars) -> str:
    """How the prices on common days differ; empty if they do not."""
    old, new = stored.ohlc, fresh.ohlc
    slack = _slack(old, new)
    different = np.abs(new - old) > slack
    if different.any():
        ratio = float(np.median(new / old))
        if (np.abs(new - old * ratio) <= _slack(old * ratio, new)).all():
            return (
                f"its prices are {ratio:g} times the stored ones on all {len(stored)} common days, "
                f"{_likely_cause(ratio)}. {_WHOLE}"
            )
        row, column = (int(place[0]) for place in np.nonzero(different))
        return (
            f"{_PRICES[column]} on {stored.dates[row]} is {old[row, column]:g} in the store and "
            f"{new[row, column]:g} in the file, different on {int(different.any(axis=1).sum())} of the {len(stored)} "
            "common days"
        )
    if _is_unadjusted(fresh):
        return ""
    return _adjustment_problem(stored, fresh)


def _adjustment_problem(stored: Bars, fresh: Bars) -> str:
    different = np.abs(fresh.adj_close - stored.adj_close) > _slack(stored.adj_close, fresh.adj_close)
    if not different.any():
        return ""
    ratio = float(np.median(fresh.adj_close / stored.adj_close))
    scaled = stored.adj_close * ratio
    if (np.abs(fresh.adj_close - scaled) <= _slack(scaled, fresh.adj_close)).all():
        return (
            f"its adjusted closes are {ratio:.6g} times the stored ones on all {len(stored)} common days, as after a "
            f"new dividend. {_WHOLE}"
        )
    row = int(np.argmax(different))
    return (
        f"adj_close on {stored.dates[row]} is {stored.adj_close[row]:g} in the store and "
        f"{fresh.adj_close[row]:g} in the file, different on {int(different.sum())} of the {len(stored)} common days"
    )


def _slack(old: Float[np.ndarray, ...], new: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Tolerance for equal prices: half a unit of the last decimal digit that both have, at most 0.5 %."""
    digits = min(_digits(old), _digits(new))
    # Slightly more than half a unit, because half a unit is seldom exact in binary.
    half = np.minimum(0.5 * 10.0**-digits * (1 + 1e-6), 0.005 * np.abs(old))
    slack: np.ndarray = np.maximum(half, ROUNDING * np.abs(old))
    return slack


def _digits(prices: Float[np.ndarray, ...]) -> int:
    """Decimal places needed to write all of the prices exactly, at most 9."""
    return next((digits for digits in range(9) if np.allclose(prices, np.round(prices, digits), 1e-9, 0)), 9)


def _is_unadjusted(bars: Bars) -> bool:
    return np.array_equal(bars.adj_close, bars.close)


def _with_factor(stored: Bars, fresh: Bars, shared: np.ndarray) -> Bars:
    """Give a file without adjusted closes the stored adjustment factors."""
    if not len(shared) or not _is_unadjusted(fresh) or _is_unadjusted(stored):
        return fresh
    old = _select_dates(stored, shared)
    factors = old.adj_close / old.close
    # The factor of the last common day on or before each date; before all of them, that of the first.
    places = np.clip(np.searchsorted(shared, fresh.dates, "right") - 1, 0, None)
    return replace(fresh, adj_close=fresh.close * factors[places])


def _likely_cause(ratio: float) -> str:
    """The likely cause of a ratio of prices."""
    if round(ratio, 6) in (100, 0.01):
        return "as where one is in pence or cents, or after a split"
    whole = round(max(ratio, 1 / ratio))
    if abs(max(ratio, 1 / ratio) / whole - 1) < 1e-3 and whole > 1:
        return f"as after a split of {whole} for 1" if ratio < 1 else f"as after a split of 1 for {whole}"
    return "as after a split or another adjustment"


def _extent(bars: Bars) -> str:
    return f"{bars.dates[0]} to {bars.dates[-1]}"
