"""Reads the journal's table into columns; a row that is no entry is left out and counted."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from forecaster.axes import Bool
from forecaster.evaluation.entries import FARTHEST, NAMES, PRICES, Entries, Words, levels_of

_HEAD = ("run", "model", "ticker", "origin")
"""The first columns of the table's key: rows that share them follow each other, and are one forecast of some steps."""

_SHARED = ("made", "fitted_to", "levels")
"""Columns that the rows of one forecast share as well, unless it was made twice."""

_OWN = ("step", "as_of", "date", "quantiles")

_CHUNK = 20_000
"""Rows read at a time: as Python's objects they take ten times their memory as columns."""


def read_entries(base: sqlite3.Connection, run: str | None = None) -> Entries:
    """All entries of a journal, or those of one run, in the order of runs, tickers, origins and steps."""
    rows = _Rows(base, run)
    base.execute("BEGIN")  # so that nobody writes between the queries
    reader = _by_forecast(rows)
    if reader is None:
        reader = _Reader()
        rows.into(reader, NAMES)
    base.execute("COMMIT")
    return reader.entries()


def _by_forecast(rows: _Rows) -> _Reader | None:
    """Reads once a forecast what its rows share: most of a million rows' time is spent on making texts.

    None if forecasts have hardly more than one step: then it would take longer.
    """
    reader, differing = _Reader(), set[str]()
    for place, heads in enumerate(rows.heads()):
        counts = heads[-1]
        if not place and sum(counts) < 2 * len(counts):
            return None
        for name, texts in zip((*_HEAD, *_SHARED), heads, strict=False):
            reader.add(name, texts, counts)
        differing |= {name for name, same in zip(_SHARED, heads[-4:-1], strict=True) if not all(same)}
    for name in sorted(differing):
        reader.forget(name)
        rows.into(reader, (name,))
    rows.into(reader, _OWN)
    return reader


def entries_of_rows(rows: Sequence[Sequence[object]]) -> Entries:
    """Rows of the table as entries; they may hold anything."""
    reader = _Reader()
    for name, column in zip(NAMES, zip(*rows, strict=True), strict=False):
        reader.add(name, column)
    return reader.entries()


class _Rows:
    """The rows of a journal's table, all of them or those of one run, in the order of its key."""

    def __init__(self, base: sqlite3.Connection, run: str | None) -> None:
        self._base = base
        self._where = "" if run is None else " WHERE run = ?"
        self._given: tuple[str, ...] = () if run is None else (run,)

    def heads(self) -> Iterator[list[Sequence[Any]]]:
        """A row a forecast, some thousands at a time, as columns.

        They are `_HEAD`; the least of each of `_SHARED`; whether all rows have it; how many rows there are.
        """
        same = [f"min({name}) = max({name})" for name in _SHARED]
        wanted = ", ".join((*_HEAD, *(f"min({name})" for name in _SHARED), *same, "count(*)"))
        grouped = f"SELECT {wanted} FROM forecasts{self._where} GROUP BY {', '.join(_HEAD)} ORDER BY {', '.join(_HEAD)}"
        found = self._base.execute(grouped, self._given)
        while rows := found.fetchmany(_CHUNK):
            yield list(zip(*rows, strict=True))

    def into(self, reader: _Reader, names: Sequence[str]) -> None:
        """Reads columns row by row."""
        order = "run, model, ticker, origin, step, as_of"
        query = f"SELECT {', '.join(names)} FROM forecasts{self._where} ORDER BY {order}"
        found = self._base.execute(query, self._given)
        while rows := found.fetchmany(_CHUNK):
            for name, column in zip(names, zip(*rows, strict=True), strict=True):
                reader.add(name, column)


class _Reader:
    """Turns the columns of the journal's table into entries, some thousands of rows at a time."""

    def __init__(self) -> None:
        self._codes: dict[str, dict[object, int]] = {name: {} for name in NAMES}
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
        self._sizes: list[np.ndarray] = []

    def add(self, name: str, values: Sequence[Any], counts: Sequence[int] | None = None) -> None:
        """Takes values of a column, which may be of any type.

        Args:
            counts: how many rows have each value; one if absent. Not for quantiles.
        """
        if name == "quantiles":
            whole = set(map(type, values)) == {bytes} and not any(size % 4 for size in set(map(len, values)))
            blobs = values if whole else [_floats(one) for one in values]
            self._sizes.append(np.fromiter(map(len, blobs), np.int64, len(blobs)) // 4)
            self._parts[name].append(np.frombuffer(b"".join(blobs), "<f4"))
            return
        codes = self._codes[name]
        for value in set(values) - codes.keys():
            codes[value] = len(codes)
        found = np.fromiter(map(codes.__getitem__, values), np.int64, len(values))
        self._parts[name].append(found if counts is None else np.repeat(found, counts))

    def forget(self, name: str) -> None:
        """Drops what was taken of a column."""
        self._parts[name].clear()

    def entries(self) -> Entries:
        """All rows that are entries."""
        columns = {
            name: np.concatenate(parts) if parts else np.empty(0, np.int64) for name, parts in self._parts.items()
        }
        sizes = np.concatenate([*self._sizes, np.empty(0, np.int64)])
        words: dict[str, Any] = {name: self._words(name, columns[name]) for name in _PARSERS}
        whole = Entries(
            **words,
            step=self._numbers("step", columns, FARTHEST),
            as_of=self._numbers("as_of", columns, 2).astype(bool),
            quantiles=columns["quantiles"].astype("<f4", copy=False),
            begins=np.cumsum(sizes) - sizes,
        )
        good = self._good(columns, sizes, whole)
        return Entries(**vars(whole.take(np.flatnonzero(good))) | {"damaged": int((~good).sum())})

    def _words(self, name: str, codes: np.ndarray) -> Words:
        # What is no such text stands in rows that are left out; any other takes its place.
        plain = _PLAIN.get(name, "")
        texts = (one if isinstance(one, str) and _is_good(name, one) else plain for one in self._codes[name])
        return Words(tuple(texts), codes)

    def _numbers(self, name: str, columns: dict[str, np.ndarray], limit: int) -> np.ndarray:
        values = [one if isinstance(one, int) and 0 <= one < limit else -1 for one in self._codes[name]]
        return np.array([*values, -1], np.int64)[columns[name]]

    def _good(self, columns: dict[str, np.ndarray], sizes: np.ndarray, whole: Entries) -> Bool[np.ndarray, " entry"]:
        good = (whole.step > 0) & (self._numbers("as_of", columns, 2) >= 0)
        for name in _PARSERS:
            valid = [_is_good(name, one) for one in self._codes[name]]
            good &= np.array([*valid, False], bool)[columns[name]]
        counts = np.array([len(text.split()) for text in whole.levels.texts] + [0])[whole.levels.codes]
        good &= sizes == PRICES * counts
        bad = np.flatnonzero(~np.isfinite(whole.quantiles))
        good[np.searchsorted(whole.begins, bad, "right") - 1] = False
        return good


def _floats(value: object) -> bytes:
    """A value that holds 32-bit numbers, or none."""
    return value if isinstance(value, bytes) and not len(value) % 4 else b""


def _day(text: str) -> dt.date:
    if len(text) != 10:
        raise ValueError
    return dt.date.fromisoformat(text)


_PARSERS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("run", "model", "ticker"), str),
    **dict.fromkeys(("origin", "date", "fitted_to"), _day),
    "made": lambda text: (_day(text[:10]), dt.datetime.fromisoformat(text)),
    "levels": levels_of,
}
"""The columns of words, and what reads one of them."""


_PLAIN = {"levels": "0.5"} | dict.fromkeys(("origin", "date", "fitted_to", "made"), "1970-01-01")


def _is_good(name: str, value: object) -> bool:
    """Whether a value may stand in a column of words."""
    with contextlib.suppress(ValueError):
        return isinstance(value, str) and _PARSERS[name](value) is not None
    return False
