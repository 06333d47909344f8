"""Every forecast that was made, kept beside the runs: an append-only SQLite file.

Quantiles are kept as logs of price / last close, which no later split or dividend changes. A forecast that is made
again (same run and weights, ticker, origin, step) is the same forecast: the first one counts.
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
"""Name of the file in the folder of the runs."""

VERSION = 1
"""Of the file's layout, as `PRAGMA user_version` has it."""

_PATIENCE = 3.0
"""Seconds to wait for another process's writing, which takes some milliseconds."""

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
    """What a run said of one session of a ticker.

    Args:
        model: fingerprint of the model file, and which of its weights spoke: `evaluated` or `production`.
        as_of: asked for as if an earlier day were today.
        date: the session spoken of, by the exchange's calendar as known then.
        made: time of day, UTC.
        fitted_to: last date that had a part in the weights.
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
        """Made for a day that was still to come, or had only begun."""
        return not self.as_of and self.made[:10] <= self.date


_NAMES = tuple(item.name for item in fields(Entry))
_INSERT = f"INSERT OR IGNORE INTO forecasts ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"


def entries_of(
    forecasts: Sequence[Forecast], model_file: Path, as_of: bool, now: dt.datetime | None = None
) -> Iterator[Entry]:
    """One entry for each ticker and step."""
    made = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).isoformat(timespec="seconds")
    digest = hashlib.sha256(model_file.read_bytes()).hexdigest()[:16]
    for one in forecasts:
        model = f"{digest}-{one.weights}"
        moves = np.log(one.prices / one.last_close)
        for place, (step, date) in enumerate(zip(one.steps, one.dates, strict=True)):
            head = (one.run, model, one.ticker, str(one.origin), step, as_of, str(date), made, one.fitted_to)
            yield Entry(*head, one.levels, moves[place])


def journalled(model: Path, forecasts: Sequence[Forecast], as_of: bool) -> list[Forecast]:
    """Append the forecasts of a run to the journal beside its folder; no error of the journal stops them.

    Args:
        model: the run's model file.

    Returns:
        The forecasts themselves, with a warning where they could not be kept.
    """
    if not forecasts:
        return []
    try:
        append(model.parent.parent / JOURNAL, list(entries_of(forecasts, model, as_of)))
    except (InputError, OSError) as error:
        told = f"This forecast is not kept for `forecast score`: {error}"
        return [replace(one, warnings=(*one.warnings, told)) for one in forecasts]
    return list(forecasts)


def append(path: Path, entries: Sequence[Entry], patience: float = _PATIENCE) -> None:
    """Keep entries, all or none of them; those that are there already stay as they are.

    Raises:
        InputError: the file is damaged, locked, of another version, or cannot be written.
    """
    rows = [tuple(_kept(getattr(one, name)) for name in _NAMES) for one in entries]
    with _opened(path, "rwc", patience) as base:
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
            f"{path.absolute()} does not exist yet: it begins with the first `forecast predict` of a run there."
        )
    with _opened(path, "rw", _PATIENCE) as base:  # not "ro", which could not roll back what a killed writer left
        _check(path, base, make=False)
        wanted = f"SELECT {', '.join(_NAMES)} FROM forecasts WHERE run = coalesce(?, run)"
        return [_entry(row) for row in base.execute(wanted, (run,))]


def runs_in(path: Path) -> list[str]:
    """Names of the runs whose forecasts are kept; none where there is no readable journal."""
    if not path.exists():
        return []
    with _opened(path, "rw", _PATIENCE) as base:
        _check(path, base, make=False)
        return [name for (name,) in base.execute("SELECT DISTINCT run FROM forecasts")]


@contextmanager
def _opened(path: Path, mode: str, patience: float) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)) as base:
            base.execute("PRAGMA synchronous = FULL")
            yield base
    except (sqlite3.Error, UnicodeError, ValueError) as error:
        raise InputError(f"journal {path} cannot be used ({error}): {_remedy(error)}.") from error


def _remedy(error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return "another process has held it too long; end that one"
    if any(word in text for word in ("readonly", "unable to open", "disk I/O", "is full")):
        return "check the folder, its permissions and the space on the disk"
    return "move it away, and a new one will be begun"


def _check(path: Path, base: sqlite3.Connection, make: bool) -> None:
    """Whether the file is a journal of ours; an empty one becomes such."""
    (version,) = base.execute("PRAGMA user_version").fetchone()
    empty = not version and not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if empty and make:
        for statement in _LAYOUT:
            base.execute(statement)
    elif empty or version != VERSION:
        what = (
            "newer: update this program, or move it away" if version > VERSION else "no journal of ours: move it away"
        )
        raise InputError(f"journal {path} is of version {version}, expected {VERSION}; it is {what}.")


def _kept(value: object) -> object:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return np.ascontiguousarray(value, "<f4").tobytes() if isinstance(value, np.ndarray) else value


def _entry(row: Sequence[object]) -> Entry:
    values = dict(zip(_NAMES, row, strict=True))
    levels = tuple(map(float, str(values["levels"]).split()))
    quantiles = np.frombuffer(values["quantiles"], "<f4").astype(np.float64).reshape(4, len(levels))  # type: ignore[call-overload]
    return Entry(**values | {"as_of": bool(values["as_of"]), "levels": levels, "quantiles": quantiles})  # type: ignore[arg-type]
