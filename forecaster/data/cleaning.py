"""The stated rules by which raw rows become `Bars`; everything they change is counted and said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped

from forecaster.data.bars import COLUMNS, Bars, encloses, positive
from forecaster.errors import DataError

MOST_BAD = 0.05
"""A ticker is refused when more than this share of its rows is unusable: its columns are probably swapped."""


@dataclass(frozen=True)
class RawRows:
    """Rows as a source gives them: any order, any value; NaN is "missing".

    `columns` holds at least open, high, low, close; the rest of `COLUMNS` may be absent.
    """

    ticker: str
    dates: Shaped[np.ndarray, " time"]
    columns: dict[str, np.ndarray]
    currency: str = "USD"
    calendar: str = "XNYS"
    timezone: str = "America/New_York"


def clean(raw: RawRows, most_bad: float = MOST_BAD) -> tuple[Bars, tuple[str, ...]]:
    """Rows → checked bars, and one sentence for each rule that changed something.

    Rules, in order: rows are sorted by date; a row that repeats another exactly is dropped; a row without a close
    (or without any other price) is dropped; a row with a price ≤ 0 or with high < low is dropped; a high below or a
    low above open or close is widened to enclose them. A missing adj_close is the close, a missing volume 0.

    Args:
        most_bad: the share of unusable rows from which on the ticker is refused.

    Raises:
        DataError: two different rows of one date, no usable row, or more than `most_bad` of them unusable.
    """
    notes: list[str] = []
    rows = _sorted(raw, notes)
    rows = _once(raw.ticker, rows, notes)
    rows = _usable(raw.ticker, rows, notes, most_bad)
    _widen(raw.ticker, rows, notes, most_bad)
    bars = Bars(raw.ticker, raw.currency, raw.calendar, raw.timezone, **rows)
    return bars, tuple(notes)


Rows = dict[str, np.ndarray]


def _sorted(raw: RawRows, notes: list[str]) -> Rows:
    close = np.asarray(raw.columns["close"], np.float64)
    filled = {"volume": 0.0, "dividend": 0.0, "split": 1.0}
    rows: Rows = {"dates": raw.dates.astype("datetime64[D]")}
    for name in COLUMNS:
        column = np.asarray(raw.columns.get(name, np.full(len(close), np.nan)), np.float64)
        missing = ~np.isfinite(column) if name in filled or name == "adj_close" else np.zeros(len(column), bool)
        rows[name] = np.where(missing, close if name == "adj_close" else filled.get(name, np.nan), column)
    rows["split"] = np.where(rows["split"] > 0, rows["split"], 1.0)
    if "adj_close" not in raw.columns:
        notes.append("no adjusted close: splits and dividends will look like price moves")
    order = np.argsort(rows["dates"], kind="stable")
    if not np.array_equal(order, np.arange(len(order))):
        notes.append("rows sorted by date")
    return _take(rows, order)


def _once(ticker: str, rows: Rows, notes: list[str]) -> Rows:
    repeats = np.concatenate([[False], rows["dates"][1:] == rows["dates"][:-1]])
    if not repeats.any():
        return rows
    same = np.ones(len(repeats), bool)
    for name in COLUMNS:
        same[1:] &= (rows[name][1:] == rows[name][:-1]) | (np.isnan(rows[name][1:]) & np.isnan(rows[name][:-1]))
    conflict = repeats & ~same
    if conflict.any():
        date = rows["dates"][np.argmax(conflict)]
        raise DataError(f"{ticker}: {date} stands twice with different values: remove one of the two rows.")
    notes.append(f"{_count(repeats)} repeated dropped")
    return _take(rows, ~repeats)


def _usable(ticker: str, rows: Rows, notes: list[str], most_bad: float) -> Rows:
    prices = np.stack([rows[name] for name in ("open", "high", "low", "close")])
    empty = np.isnan(prices).any(axis=0)
    bad = ~empty & ~(np.all([positive(price) for price in prices], axis=0) & (rows["high"] >= rows["low"]))
    bad |= ~empty & ~positive(rows["adj_close"])
    keep = ~empty & ~bad
    if bad.mean() > most_bad:
        date = rows["dates"][np.argmax(bad)]
        raise DataError(
            f"{ticker}: {bad.mean():.0%} of its rows have a price ≤ 0 or high < low (first on {date}): "
            "its columns are probably swapped; nothing was taken."
        )
    if not keep.any():
        raise DataError(f"{ticker}: none of its {len(keep)} rows has all four prices: check its columns.")
    if empty.any():
        notes.append(f"{_count(empty)} without a price dropped")
    if bad.any():
        notes.append(f"{_count(bad)} with a price ≤ 0 or high < low dropped (first {rows['dates'][np.argmax(bad)]})")
    return _take(rows, keep)


def _widen(ticker: str, rows: Rows, notes: list[str], most_bad: float) -> None:
    wrong = ~encloses(rows["open"], rows["high"], rows["low"], rows["close"])
    if wrong.mean() > most_bad:
        raise DataError(
            f"{ticker}: in {wrong.mean():.0%} of its rows high or low does not enclose open and close "
            f"(first on {rows['dates'][np.argmax(wrong)]}): its columns are probably swapped; nothing was taken."
        )
    if wrong.any():
        prices = np.stack([rows[name] for name in ("open", "high", "low", "close")])
        rows["high"] = np.where(wrong, prices.max(axis=0), rows["high"])
        rows["low"] = np.where(wrong, prices.min(axis=0), rows["low"])
        notes.append(f"high or low widened to enclose open and close in {_count(wrong)}")


def _take(rows: Rows, which: np.ndarray) -> Rows:
    return {name: column[which] for name, column in rows.items()}


def _count(mask: Bool[np.ndarray, " time"]) -> str:
    number = int(mask.sum())
    return f"{number} row" if number == 1 else f"{number} rows"
