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
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np

from forecaster.errors import InputError
from forecaster.evaluation.chain import ChainState, Link, check_chain, last_link, next_hash
from forecaster.evaluation.entries import NAMES, Entries, Entry, to_sql
from forecaster.evaluation.entryreader import entries_of_rows, read_entries
from forecaster.inference.forecast import Forecast

JOURNAL = "journal.sqlite"
"""File name, in the runs folder."""

NOT_KEPT = "This forecast is not kept for `forecast score`"
"""How the warning begins that the journal cannot be written."""

VERSION = 2
"""Version of the file's layout, stored as `PRAGMA user_version`. Version 1 had no hash chain; it is read as it is."""

_PATIENCE = 3.0
"""Seconds to wait for another process to finish writing, which takes milliseconds."""

_TABLE = """
CREATE TABLE forecasts (
    run TEXT NOT NULL, model TEXT NOT NULL, ticker TEXT NOT NULL, origin TEXT NOT NULL, step INTEGER NOT NULL,
    as_of INTEGER NOT NULL, date TEXT NOT NULL, made TEXT NOT NULL, fitted_to TEXT NOT NULL, levels TEXT NOT NULL,
    quantiles BLOB NOT NULL, number INTEGER, hash BLOB,
    PRIMARY KEY (run, model, ticker, origin, step, as_of)
) WITHOUT ROWID
"""
_INDEX = "CREATE UNIQUE INDEX chain ON forecasts (number) WHERE number IS NOT NULL"
_LAYOUT = (
    _TABLE,
    "CREATE TRIGGER never_changed BEFORE UPDATE ON forecasts BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER never_deleted BEFORE DELETE ON forecasts BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    _INDEX,
    f"PRAGMA user_version = {VERSION}",
)
_UPGRADE = (
    "ALTER TABLE forecasts ADD COLUMN number INTEGER",
    "ALTER TABLE forecasts ADD COLUMN hash BLOB",
    _INDEX,
    f"PRAGMA user_version = {VERSION}",
)


_INSERT = f"""
INSERT OR IGNORE INTO forecasts ({", ".join(NAMES)}, number, hash) VALUES ({", ".join("?" * (len(NAMES) + 2))})
"""


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
    rows = [tuple(to_sql(getattr(one, name)) for name in NAMES) for one in entries]
    with _connect(path, "rwc", patience) as base:
        # Takes the write lock at once: two processes that both find the file empty must not both make its tables.
        base.execute("BEGIN IMMEDIATE")
        _check(path, base, make=True)
        link = last_link(base)
        for row in rows:
            number, digest = link.number + 1, next_hash(link.hash, row)
            if base.execute(_INSERT, (*row, number, digest)).rowcount == 1:  # not one that exists already
                link = Link(number, digest)
        base.execute("COMMIT")


def read(path: Path, run: str | None = None) -> Entries:
    """All entries, or those of one run, in the order of runs, tickers, origins and steps.

    Raises:
        InputError: there is no such file, or it is damaged, locked or of another version.
    """
    _require(path)
    with _connect(path, "rw", _PATIENCE) as base:  # "ro" could not roll back the transaction of a killed writer
        return read_entries(base, run) if _check(path, base, make=False) else entries_of_rows([])


def verify(path: Path) -> ChainState:
    """Checks that every forecast is as it was made, and none was removed or inserted.

    Raises:
        InputError: as in `read`, or an earlier version wrote the file, which kept no chain.
    """
    _require(path)
    with _connect(path, "rw", _PATIENCE) as base:
        if _check(path, base, make=False) < VERSION:
            raise InputError(f"journal {path} has no hash chain yet: the next `forecast predict` begins one.")
        return check_chain(base)


def _require(path: Path) -> None:
    if not path.exists():
        raise InputError(
            f"{path.absolute()} does not exist yet: the first `forecast predict` of a run there creates it."
        )


def runs_in(path: Path) -> list[str]:
    """Names of the runs that have forecasts in the journal; none if there is no journal."""
    if not path.exists():
        return []
    with _connect(path, "rw", _PATIENCE) as base:
        if not _check(path, base, make=False):
            return []
        return [name for (name,) in base.execute("SELECT DISTINCT run FROM forecasts") if isinstance(name, str)]


@contextmanager
def _connect(path: Path, mode: str, patience: float) -> Iterator[sqlite3.Connection]:
    if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):  # it may point anywhere
        raise InputError(f"journal {path} is a link or no file: move it away, and a new one will be created.")
    # As a URI, for its mode; a path may contain `?`, `#` or bytes that are not UTF-8.
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    try:
        # isolation_level=None: sqlite3 begins no transaction by itself, so that BEGIN and COMMIT are ours.
        with closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            yield base
    except (sqlite3.Error, UnicodeError, ValueError, OverflowError) as error:
        raise InputError(f"journal {path} cannot be used ({error}): {_remedy(error)}.") from error


def _remedy(error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return "another process has locked it too long; end that process"
    if any(word in text for word in ("readonly", "unable to open", "disk I/O", "is full")):
        return "check the folder, its permissions and the free disk space"
    return "move it away, and a new one will be created"


def _check(path: Path, base: sqlite3.Connection, make: bool) -> int:
    """Checks the file's version, and returns it; 0 if it is empty, as after a kill of its first writer.

    Args:
        make: give an empty or earlier file its tables.
    """
    (version,) = base.execute("PRAGMA user_version").fetchone()
    empty = not version and not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if make and (empty or version == 1):
        for statement in _LAYOUT if empty else _UPGRADE:
            base.execute(statement)
    elif not empty and version not in (1, VERSION):
        what = "newer: update this program, or move it away" if version > VERSION else "not a journal: move it away"
        raise InputError(f"journal {path} is of version {version}, expected {VERSION}; it is {what}.")
    return 0 if empty and not make else int(version)
