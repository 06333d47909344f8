"""The journal's hash chain: each row's hash covers the row and the hash before it.

Whoever changes, removes or inserts a row later breaks the chain there, unless he writes all later hashes anew; then the
hash of the last row differs from the one that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forecaster.evaluation.entries import NAMES

_BEGIN = b"forecaster journal"

_ROWS = f"SELECT {', '.join(NAMES)}, number, hash FROM forecasts"


@dataclass(frozen=True)
class Link:
    """The last row of a chain: its number, counted from 1, and its hash."""

    number: int
    hash: bytes


@dataclass(frozen=True)
class ChainState:
    """What a check of a journal found.

    Args:
        rows: forecasts in the chain.
        before: forecasts of an earlier version, which the chain covers as a whole.
        head: hash of the last row; keep it elsewhere.
        broken: the first forecast that is not as it was made, in words; None if all are.
    """

    rows: int
    before: int
    head: str
    broken: str | None


def next_hash(before: bytes, row: Sequence[object]) -> bytes:
    """Hash of a row that follows a hash."""
    *texts, quantiles = row
    digest = hashlib.sha256(before)
    digest.update(json.dumps(texts, separators=(",", ":"), default=repr).encode())
    digest.update(quantiles if isinstance(quantiles, bytes) else repr(quantiles).encode())
    return digest.digest()


def last_link(base: sqlite3.Connection) -> Link:
    """The end of the chain; before its first row the hash of all rows of earlier versions."""
    found = base.execute("SELECT number, hash FROM forecasts WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1")
    row = found.fetchone()
    return Link(int(row[0]), row[1] if isinstance(row[1], bytes) else b"") if row else Link(0, _begin(base)[0])


def check_chain(base: sqlite3.Connection) -> ChainState:
    """Computes the whole chain again."""
    digest, before = _begin(base)
    rows, broken = 0, None
    for *row, number, written in base.execute(f"{_ROWS} WHERE number IS NOT NULL ORDER BY number"):
        rows += 1
        digest = next_hash(digest, row)
        if broken is None and (number != rows or written != digest):
            broken = _words(row, number, rows)
        digest = written if isinstance(written, bytes) else digest
    return ChainState(rows, before, digest.hex(), broken)


def _words(row: Sequence[object], number: object, expected: int) -> str:
    run, _, ticker, origin, step, *_ = row
    if number != expected:
        return f"forecast {expected} is missing: it was removed, or another was inserted"
    where = f"{ticker} from {origin}, step {step}, of run {run}"
    return f"forecast {expected} ({where}) was changed, or one before it removed or inserted"


def _begin(base: sqlite3.Connection) -> tuple[bytes, int]:
    """Hash and number of the rows without a number, which a version without a chain has written."""
    digest, count = hashlib.sha256(_BEGIN), 0
    for row in _unnumbered(base):
        digest.update(next_hash(b"", row))
        count += 1
    return digest.digest(), count


def _unnumbered(base: sqlite3.Connection) -> Iterator[Sequence[object]]:
    order = "run, model, ticker, origin, step, as_of"
    for *row, _, _ in base.execute(f"{_ROWS} WHERE number IS NULL ORDER BY {order}"):
        yield row
