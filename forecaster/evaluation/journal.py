"""The forecast journal: an append-only SQLite file beside the runs, with every forecast ever made.

Quantiles are stored as log(price / last close), which later splits and dividends do not change. A repeated forecast
(same run and weights, ticker, origin, step) is not stored again: the first one counts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import quote

import numpy as np

from forecaster.axes import Float
from forecaster.errors import InputError
from forecaster.inference.forecast import Forecast

JOURNAL = "journal.sqlite"
"""File name, in the runs folder."""

NOT_KEPT = "This forecast is not kept for `forecast score`"
"""How the warning begins that the journal cannot be written."""

VERSION = 1
"""Version of the file's layout, stored as `PRAGMA user_version`."""

_PATIENCE = 3.0
"""Seconds to wait for another process to finish writing, which takes milliseconds."""

_TABLE = """
CREATE TABLE forecasts (
    run TEXT NOT NULL, model TEXT NOT NULL, ticker TEXT NOT NULL, origin TEXT NOT NULL, step INTEGER NOT NULL,
    as_of INTEGER NOT NULL, date TEXT NOT NULL, made TEXT NOT NULL, fitted_to TEXT NOT NULL, levels TEXT NOT NULL,
    quantiles BLOB NOT NULL,
    PRIMARY KEY (run, model, ticker, origin, step, as_of)
) WITHOUT ROWID
"""
_LAYOUT = (
    _TABLE,
    "CREATE TRIGGER never_changed BEFORE UPDATE ON forecasts BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER never_deleted BEFORE DELETE ON forecasts BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    f"PRAGMA user_version = {VERSION}",
)


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


_NAMES = tuple(item.name for item in fields(Entry))
_INSERT = f"INSERT OR IGNORE INTO forecasts ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"


def entries_of(
    forecasts: Sequence[Forecast], model_file: Path, as_of: bool, now: dt.datetime | None = None
) -> Iterator[Entry]:
    """Yields one entry for each ticker and step."""
    made = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).isoformat(timespec="seconds")
    digest = hashlib.sha256(model_file.read_bytes()).hexdigest()[:16]
    for one in forecasts:
        model = f"{digest}-{one.weights}"
        moves = np.log(one.prices / one.last_close)
        for place, (step, date) in enumerate(zip(one.steps, one.dates, strict=True)):
            head = (one.run, model, one.ticker, str(one.origin), step, as_of, str(date), made, one.fitted_to)
            yield Entry(*head, one.levels, moves[place])


def append_or_warn(runs_dir: Path, model: Path, forecasts: Sequence[Forecast], as_of: bool) -> list[Forecast]:
    """Appends forecasts to the journal of a runs folder; a journal error becomes a warning.

    Args:
        model: the run's model file.

    Returns:
        The forecasts, with a warning if they could not be stored.
    """
    if not forecasts:
        return []
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)  # with the shipped run there may be no folder of runs yet
        append(runs_dir / JOURNAL, list(entries_of(forecasts, model, as_of)))
    except (InputError, OSError) as error:
        warning = f"{NOT_KEPT}: {error}"
        return [replace(one, warnings=(*one.warnings, warning)) for one in forecasts]
    return list(forecasts)


def append(path: Path, entries: Sequence[Entry], patience: float = _PATIENCE) -> None:
    """Stores entries in one transaction; those that exist already stay as they are.

    Raises:
        InputError: the file is damaged, locked, of another version, or cannot be written.
    """
    rows = [tuple(_to_sql(getattr(one, name)) for name in _NAMES) for one in entries]
    with _connect(path, "rwc", patience) as base:
        # Takes the write lock at once: two processes that both find the file empty must not both make its tables.
        base.execute("BEGIN IMMEDIATE")
        _check(path, base, make=True)
        base.executemany(_INSERT, rows)
        base.execute("COMMIT")


def read(path: Path, run: str | None = None) -> list[Entry]:
    """All entries, or those of one run, in the order of runs, tickers, origins and steps.

    Raises:
        InputError: there is no such file, or it is damaged, locked or of another version.
    """
    if not path.exists():
        raise InputError(
            f"{path.absolute()} does not exist yet: the first `forecast predict` of a run there creates it."
        )
    with _connect(path, "rw", _PATIENCE) as base:  # "ro" could not roll back the transaction of a killed writer
        _check(path, base, make=False)
        wanted = f"SELECT {', '.join(_NAMES)} FROM forecasts WHERE run = coalesce(?, run)"
        return [_entry(row) for row in base.execute(wanted, (run,))]


def runs_in(path: Path) -> list[str]:
    """Names of the runs that have forecasts in the journal; none if there is no journal."""
    if not path.exists():
        return []
    with _connect(path, "rw", _PATIENCE) as base:
        _check(path, base, make=False)
        return [name for (name,) in base.execute("SELECT DISTINCT run FROM forecasts")]


@contextmanager
def _connect(path: Path, mode: str, patience: float) -> Iterator[sqlite3.Connection]:
    # As a URI, for its mode; a path may contain `?`, `#` or bytes that are not UTF-8.
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    try:
        # isolation_level=None: sqlite3 begins no transaction by itself, so that BEGIN and COMMIT are ours.
        with closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            yield base
    except (sqlite3.Error, UnicodeError, ValueError) as error:
        raise InputError(f"journal {path} cannot be used ({error}): {_remedy(error)}.") from error


def _remedy(error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return "another process has locked it too long; end that process"
    if any(word in text for word in ("readonly", "unable to open", "disk I/O", "is full")):
        return "check the folder, its permissions and the free disk space"
    return "move it away, and a new one will be created"


def _check(path: Path, base: sqlite3.Connection, make: bool) -> None:
    """Checks the file's version; with `make`, gives an empty file its tables."""
    (version,) = base.execute("PRAGMA user_version").fetchone()
    empty = not version and not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and make:
        for statement in _LAYOUT:
            base.execute(statement)
    elif empty or version != VERSION:
        what = "newer: update this program, or move it away" if version > VERSION else "not a journal: move it away"
        raise InputError(f"journal {path} is of version {version}, expected {VERSION}; it is {what}.")


def _to_sql(value: object) -> object:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    # Little-endian on every machine, so that a journal can be moved to another one.
    return np.ascontiguousarray(value, "<f4").tobytes() if isinstance(value, np.ndarray) else value


def _entry(row: Sequence[object]) -> Entry:
    values = dict(zip(_NAMES, row, strict=True))
    levels = tuple(map(float, str(values["levels"]).split()))
    quantiles = np.frombuffer(values["quantiles"], "<f4").astype(np.float64).reshape(4, len(levels))  # type: ignore[call-overload]
    return Entry(**values | {"as_of": bool(values["as_of"]), "levels": levels, "quantiles": quantiles})  # type: ignore[arg-type]
