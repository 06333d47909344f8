"""Ledger of which models were tried on which test: p-values are corrected for their number (multiple testing).

One line of JSON for each model and test, in a file beside the store's candles, so that another runs folder or a
deleted run does not change the count.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from forecaster.evaluation.ledgerfile import NAME, append, hash_of, line_of, load, mark_of, parse, read
from forecaster.evaluation.look import Look


@dataclass(frozen=True)
class Looks:
    """How many different models were tried on a test, and remarks about the count."""

    count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """The ledger's current content."""

    looks: tuple[Look, ...]
    notes: tuple[str, ...]

    def count(self, look: Look) -> Looks:
        """Counts the models tried on a test that shares a ticker and a date with this look's, this model included."""
        models = {look.model} | {other.model for other in self.looks if look.shares(other)}
        return Looks(len(models), self.notes)


@dataclass(frozen=True)
class Ledger:
    """The looks at the tests of a store.

    Args:
        store: folder of the candles.
        runs: folder of the runs: used if the store cannot be written, and where the ledger was before version 0.2.
    """

    store: Path
    runs: Path

    def record(self, look: Look) -> Looks:
        """Adds a look, unless the ledger has this model on exactly this test.

        Errors become notes, so that they cannot cost a finished training.
        """
        known = self.read()
        if any(_key(look) == _key(other) for other in known.looks):
            return known.count(look)
        notes = (*known.notes, *self._write(look))
        return replace(self.read(), notes=notes).count(look)

    def read(self) -> Known:
        """All looks; those in the runs folder's ledger are merged into the store's."""
        own, notes = load(self.store)
        looks = own.looks
        content, refused = read(self.runs / NAME)
        notes = (*notes, *refused)
        if content and hash_of(content) not in own.marks:
            other = parse(content, self.runs)
            have = {_key(look) for look in looks}
            new = [look for look in other.looks if _key(look) not in have]
            looks = [*looks, *new]
            notes = (*notes, *other.notes(self.runs / NAME))
            with contextlib.suppress(OSError):
                append(self.store, [*map(line_of, new), *([] if other.newer else [mark_of(content)])])
        return Known(tuple(looks), notes)

    def _write(self, look: Look) -> tuple[str, ...]:
        for folder in (self.store, self.runs):
            with contextlib.suppress(OSError):
                append(folder, [line_of(look)])
                elsewhere = f"{self.store} cannot be written: this look at the test is recorded in {folder / NAME}."
                return () if folder == self.store else (elsewhere,)
        return (f"This look at the test could not be recorded: neither {self.store} nor {self.runs} can be written.",)


def _key(look: Look) -> tuple[str, str, str, tuple[str, ...]]:
    return look.model, look.first, look.last, look.tickers
