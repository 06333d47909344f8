"""Cleaning rules: raw rows → `Bars`; every change is counted and reported in a note."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.axes import Bool, Shaped
from forecaster.data.adjustments import Rows, apply_splits, fill_adjusted
from forecaster.data.bars import COLUMNS, Bars, encloses, positive
from forecaster.errors import DataError

MOST_BAD = 0.05
"""A ticker is rejected if more than this share of its rows is unusable: its columns are probably swapped."""


@dataclass(frozen=True)
class RawRows:
    """Rows as a source gives them: in any order, with any values; NaN means missing.

    `columns` has at least open, high, low and close; the rest of `COLUMNS` is optional.
    """

    ticker: str
    dates: Shaped[np.ndarray, " time"]
    columns: dict[str, np.ndarray]
    currency: str = "USD"
    calendar: str = "XNYS"
    timezone: str = "America/New_York"


def clean(raw: RawRows, most_bad: float = MOST_BAD) -> tuple[Bars, tuple[str, ...]]:
    """Clean raw rows; returns validated bars and one note per rule that changed something.

    Rules, in order: sort rows by date; drop rows dated in the future; fill a missing or unusable adj_close (see
    `fill_adjusted`); drop rows that lack one of the four prices; drop rows with a price ≤ 0 or high < low; drop exact
    duplicates; widen a high or low that does not enclose open and close; apply splits missing from the prices before
    them. A missing or negative volume becomes 0.

    Args:
        most_bad: maximum share of unusable rows.

    Raises:
        DataError: two different rows for one date, no usable row, or more than `most_bad` of them unusable.
    """
    notes: list[str] = []
    rows = _drop_future(_sort(raw, notes), notes)
    notes += fill_adjusted(rows)
    rows = _drop_unusable(raw.ticker, rows, notes, most_bad)
    rows = _drop_duplicates(raw.ticker, rows, notes)
    _widen(raw.ticker, rows, notes, most_bad)
    notes += apply_splits(rows)
    bars = Bars(raw.ticker, raw.currency, raw.calendar, raw.timezone, **rows)
    return bars, tuple(notes)


_DEFAULTS = {"volume": (0.0, 0.0), "dividend": (0.0, 0.0), "split": (1.0, 0.0)}
"""(value used if missing or invalid, lower bound that a valid value must exceed)."""


def _sort(raw: RawRows, notes: list[str]) -> Rows:
    rows: Rows = {"dates": raw.dates.astype("datetime64[D]")}
    for name in COLUMNS:
        rows[name] = np.asarray(raw.columns.get(name, np.full(len(raw.dates), np.nan)), np.float64)
    if (rows["volume"] < 0).any():
        notes.append(f"volume below 0 set to 0 in {_count(rows['volume'] < 0)}")
    for name, (missing, above) in _DEFAULTS.items():
        rows[name] = np.where(np.isfinite(rows[name]) & (rows[name] > above), rows[name], missing)
    order = np.argsort(rows["dates"], kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        notes.append("rows sorted by date")
    return _take(rows, order)


def _drop_future(rows: Rows, notes: list[str]) -> Rows:
    """Drop rows dated in the future, except tomorrow: it may already be that date further east."""
    known = rows["dates"] <= np.datetime64("today") + np.timedelta64(1, "D")
    if known.all():
        return rows
    notes.append(f"{_count(~known)} dated in the future dropped ({_first(rows, ~known)})")
    return _take(rows, known)


def _drop_duplicates(ticker: str, rows: Rows, notes: list[str]) -> Rows:
    repeats = np.concatenate([[False], rows["dates"][1:] == rows["dates"][:-1]])
    if not repeats.any():
        return rows
    same = np.ones(len(repeats), bool)
    for name in COLUMNS:
        same[1:] &= rows[name][1:] == rows[name][:-1]
    conflict = repeats & ~same
    if conflict.any():
        at = int(np.argmax(conflict))
        name = next(name for name in COLUMNS if rows[name][at] != rows[name][at - 1])
        raise DataError(
            f"{ticker}: {rows['dates'][at]} appears twice with different values ({name} {rows[name][at - 1]:g} and "
            f"{rows[name][at]:g}), {_clash(conflict)}."
        )
    notes.append(f"{_count(repeats)} repeated dropped")
    return _take(rows, ~repeats)


def _clash(conflict: Bool[np.ndarray, " time"]) -> str:
    """The likely cause of different candles for one date."""
    days = int(conflict.sum())
    if days <= max(MOST_BAD * len(conflict), 1):
        return "expected one candle per day: keep the right one"
    return (
        f"as do {days - 1} more days: are there several tickers? Add a column ticker (or name an existing one "
        "with --column ticker=NAME)"
    )


def _drop_unusable(ticker: str, rows: Rows, notes: list[str], most_bad: float) -> Rows:
    prices = np.stack([rows[name] for name in ("open", "high", "low", "close")])
    empty = np.isnan(prices).any(axis=0)
    # Rows without a price, such as holidays, do not count towards `most_bad`.
    bad = ~empty & ~(np.all([positive(price) for price in prices], axis=0) & (rows["high"] >= rows["low"]))
    keep = ~empty & ~bad
    if bad.mean() > most_bad:
        problem = f"a price ≤ 0 or high < low ({_first(rows, bad)})"
        raise DataError(f"{ticker}: {_share(bad)} {problem}, {_remedy(most_bad)}")
    if not keep.any():
        raise DataError(f"{ticker}: none of its {len(keep)} rows has all four prices above 0: check the columns.")
    if empty.any():
        notes.append(f"{_count(empty)} without a price dropped")
    if bad.any():
        notes.append(f"{_count(bad)} with a price ≤ 0 or high < low dropped ({_first(rows, bad)})")
    return _take(rows, keep)


def _widen(ticker: str, rows: Rows, notes: list[str], most_bad: float) -> None:
    wrong = ~encloses(rows["open"], rows["high"], rows["low"], rows["close"])
    if wrong.mean() > most_bad:
        problem = f"a high or low that does not enclose open and close ({_first(rows, wrong)})"
        raise DataError(f"{ticker}: {_share(wrong)} {problem}, {_remedy(most_bad)}")
    if wrong.any():
        first = _first(rows, wrong)
        prices = np.stack([rows[name] for name in ("open", "high", "low", "close")])
        rows["high"] = np.where(wrong, prices.max(axis=0), rows["high"])
        rows["low"] = np.where(wrong, prices.min(axis=0), rows["low"])
        notes.append(f"high or low widened to enclose open and close in {_count(wrong)} ({first})")


def _take(rows: Rows, which: np.ndarray) -> Rows:
    return {name: column[which] for name, column in rows.items()}


def _first(rows: Rows, mask: Bool[np.ndarray, " time"]) -> str:
    at = int(np.argmax(mask))
    candle = ", ".join(f"{name} {rows[name][at]:g}" for name in ("open", "high", "low", "close"))
    return f"first {rows['dates'][at]}: {candle}"


def _remedy(most_bad: float) -> str:
    return f"expected in at most {most_bad:.0%}: fix the rows or the column names; nothing was stored."


def _share(mask: Bool[np.ndarray, " time"]) -> str:
    return f"{int(mask.sum())} of its {len(mask)} rows {'has' if mask.sum() == 1 else 'have'}"


def _count(mask: Bool[np.ndarray, " time"]) -> str:
    number = int(mask.sum())
    return f"{number} row" if number == 1 else f"{number} rows"
