"""Entries of the forecast journal: one at a time where they are made, as columns where a million are scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from forecaster.axes import Bool, Float, Int, Shaped

PRICES = 4
FARTHEST = 100_000
"""Steps ahead at most; no run has so many."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A run's forecast of one session of a ticker.

    Args:
        model: fingerprint of the model file, and which of its weights were used: `evaluated` or `production`.
        as_of: made with --as-of, as if an earlier day were today.
        date: the session that is forecast, by the exchange's calendar as known then.
        made: date and time, UTC.
        fitted_to: last date that the weights were fitted on.
        levels: quantile levels, ascending.
        quantiles: of log(price / last close).
    """

    run: str
    model: str
    ticker: str
    origin: str
    step: int
    as_of: bool
    date: str
    made: str
    fitted_to: str
    levels: tuple[float, ...]
    quantiles: Float[np.ndarray, "variable quantile"]

    @property
    def live(self) -> bool:
        """Made before the forecast day was over."""
        # The date of an ISO time; ISO dates compare as text.
        return not self.as_of and self.made[:10] <= self.date


NAMES = tuple(item.name for item in fields(Entry))
"""The columns of the journal, in the order of its table."""


@dataclass(frozen=True, eq=False)
class Words:
    """A column with few different texts: each text once, and its number in each row."""

    texts: tuple[str, ...]
    codes: Int[np.ndarray, " entry"]

    @property
    def present(self) -> frozenset[str]:
        """The texts that some row has."""
        return frozenset(self.texts[code] for code in np.unique(self.codes).tolist())

    def take(self, rows: np.ndarray) -> Words:
        return Words(self.texts, self.codes[rows])

    def days(self) -> Shaped[np.ndarray, " entry"]:
        """ISO dates, or the dates of ISO times."""
        return np.array([text[:10] for text in self.texts] or ["1970-01-01"], "datetime64[D]")[self.codes]

    def ranks(self) -> Int[np.ndarray, " entry"]:
        """Place of each row's text among the sorted ones."""
        return np.argsort(np.argsort(np.array(self.texts, object)))[self.codes] if self.texts else self.codes


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries as columns.

    Args:
        levels: as the journal writes them, `0.05 0.5 0.95`.
        quantiles: of all entries, one after the other, [variable quantile] each; `begins` says where each one begins.
        damaged: rows that were no entries, and were left out.
    """

    run: Words
    model: Words
    ticker: Words
    origin: Words
    step: Int[np.ndarray, " entry"]
    as_of: Bool[np.ndarray, " entry"]
    date: Words
    made: Words
    fitted_to: Words
    levels: Words
    quantiles: Float[np.ndarray, " value"]
    begins: Int[np.ndarray, " entry"]
    damaged: int = 0

    def __len__(self) -> int:
        return len(self.step)

    def __getitem__(self, row: int) -> Entry:
        values: dict[str, Any] = {name: getattr(self, name) for name in NAMES}
        texts = {name: one.texts[one.codes[row]] for name, one in values.items() if isinstance(one, Words)}
        levels = levels_of(texts["levels"])
        quantiles = self.quantiles_at(np.array([row]), len(levels))[0].astype(np.float64)
        own = {"step": int(self.step[row]), "as_of": bool(self.as_of[row]), "levels": levels, "quantiles": quantiles}
        return Entry(**values | texts | own)

    def __iter__(self) -> Iterator[Entry]:
        return (self[row] for row in range(len(self)))

    @property
    def live(self) -> Bool[np.ndarray, " entry"]:
        """Made before the forecast day was over."""
        return ~self.as_of & (self.made.days() <= self.date.days())

    def quantiles_at(self, rows: np.ndarray, levels: int) -> Float[np.ndarray, "entry variable quantile"]:
        """Quantiles of entries that all have so many levels."""
        places = self.begins[rows, None] + np.arange(PRICES * levels)
        return self.quantiles[places].reshape(len(rows), PRICES, levels)

    def take(self, rows: np.ndarray) -> Entries:
        """Some of the entries; the array of quantiles is shared."""
        parts = {name: getattr(self, name) for name in (*NAMES, "begins") if name != "quantiles"}
        taken: dict[str, Any] = {
            name: one.take(rows) if isinstance(one, Words) else one[rows] for name, one in parts.items()
        }
        return Entries(quantiles=self.quantiles, damaged=self.damaged, **taken)

    def first_made(self) -> Entries:
        """The first entry of each run, ticker, origin and step, live ones and others apart."""
        key = self.key(self.run, self.ticker, self.origin) * FARTHEST * 2 + self.step * 2 + self.live
        order = np.lexsort((self.made.ranks(), key))
        new = np.ones(len(order), bool)
        new[1:] = key[order][1:] != key[order][:-1]
        return self.take(np.sort(order[new]))

    @staticmethod
    def key(*columns: Words) -> Int[np.ndarray, " entry"]:
        """One number for each combination of texts."""
        found = np.zeros(len(columns[0].codes), np.int64)
        for one in columns:
            found = found * max(len(one.texts), 1) + one.codes
        return found


def levels_of(text: str) -> tuple[float, ...]:
    """Quantile levels as the journal writes them.

    Raises:
        ValueError: they are not ascending numbers between 0 and 1 around the median.
    """
    levels = tuple(map(float, text.split()))
    if list(levels) != sorted(set(levels)) or not all(0 < level < 1 for level in levels) or 0.5 not in levels:
        raise ValueError(f"{text[:80]!r} are no quantile levels")
    return levels


def to_sql(value: object) -> object:
    """A value of an entry as the journal's table holds it."""
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return int(value)  # as it is read back
    # Little-endian on every machine, so that a journal can be moved to another one.
    return np.ascontiguousarray(value, "<f4").tobytes() if isinstance(value, np.ndarray) else value
