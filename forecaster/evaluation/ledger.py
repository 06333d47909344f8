"""Which models were tried on which test: the best of many tries is lucky, so each verdict pays for all of them.

One line of JSON for each model and test, in a file beside the store's candles: another runs folder, or a run that was
deleted, does not change the count.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from forecaster.evaluation.ledgerfile import NAME, TAKEN_OVER, append, content_of, line_of, load, parse
from forecaster.evaluation.look import Look


@dataclass(frozen=True)
class Looks:
    """How many different models were tried on a test, and what the reader should know of the count."""

    count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """The ledger as it stands."""

    looks: tuple[Look, ...]
    notes: tuple[str, ...]

    def count(self, look: Look) -> Looks:
        """How many models were tried on a test, this one included: those that share a ticker and a date with it."""
        models = {look.model} | {other.model for other in self.looks if look.shares(other)}
        return Looks(len(models), self.notes)


@dataclass(frozen=True)
class Ledger:
    """The looks at the tests of a store.

    Args:
        store: folder of the candles.
        runs: folder of the runs, for a store that cannot be written, and for the ledger that lay there before 0.2.
    """

    store: Path
    runs: Path

    def record(self, look: Look) -> Looks:
        """Add a look, unless this model was already seen on this very test.

        Nothing that goes wrong here may cost a training: it becomes a note.
        """
        known = self.read()
        if any(_key(look) == _key(other) for other in known.looks):
            return known.count(look)
        notes = (*known.notes, *self._write(look))
        return replace(self.read(), notes=notes).count(look)

    def read(self) -> Known:
        """All looks, those of the runs folder included, which the store's ledger takes over."""
        looks, marks, notes = load(self.store)
        content = content_of(self.runs / NAME)
        mark = hashlib.sha256(content).hexdigest()
        if content and mark not in marks:
            others, damaged = parse(content, self.runs)
            held = {_key(look) for look in looks}
            news = [look for look in others if _key(look) not in held]
            looks += news
            if damaged:
                notes = (*notes, f"{damaged} lines of {self.runs / NAME} cannot be read, and are not counted.")
            with contextlib.suppress(OSError):
                append(self.store, [*map(line_of, news), json.dumps({TAKEN_OVER: mark})])
        return Known(tuple(looks), notes)

    def _write(self, look: Look) -> tuple[str, ...]:
        for folder in (self.store, self.runs):
            with contextlib.suppress(OSError):
                append(folder, [line_of(look)])
                elsewhere = f"{self.store} cannot be written: this look at the test is noted in {folder / NAME}."
                return () if folder == self.store else (elsewhere,)
        return (f"This look at the test could not be noted: neither {self.store} nor {self.runs} can be written.",)


def _key(look: Look) -> tuple[str, str, str, tuple[str, ...]]:
    return look.model, look.first, look.last, look.tickers
