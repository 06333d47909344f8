"""What is only ever added to: the journal of forecasts, the ledger of looks, the journal of a search."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from forecaster.evaluation.journal import JOURNAL
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.ledgerfile import NAME
from forecaster.tuning.findings import findings
from forecaster.tuning.journal import JOURNAL as TRIALS
from forecaster.tuning.journal import opened
from forecaster.tuning.search import load_search
from forecaster.workflows.predict import predict
from forecaster.workflows.score import score, verify_journal
from forecaster.workflows.tune import tune
from tests.fuzz.base import Base, Feed, Words
from tests.fuzz.mutate import TOKENS, VALUES, of_bytes, of_json
from tests.fuzz.readers.tables import SAMPLE
from tests.test_tune import CONFIG

Calling = Callable[[], object]

COLUMNS = (
    *("run", "model", "ticker", "origin", "step", "as_of", "date", "made", "fitted_to", "levels", "quantiles"),
    *("number", "hash"),
)
NUMBERS = (one for one in VALUES if isinstance(one, int | float | None) and one not in (10**30, 2**63))
CELLS = (*NUMBERS, *(token.decode("latin-1") for token in TOKENS), *TOKENS)
LOOK = {"model": "m", "first": "2010-01-01", "last": "2011-01-01", "tickers": ["AAPL"], "by": "train x"}
LINES = (LOOK, LOOK | {"format": 2}, {"format": 2, "taken_over": "ab"}, LOOK | {"format": 3})


def feeds(base: Base) -> dict[str, Feed]:
    places = {"data_dir": base.store, "runs_dir": base.runs}
    predict(["AAPL"], run="small", as_of="2012-06-29", **places)  # type: ignore[arg-type]
    journal = (base.runs / JOURNAL).read_bytes()
    (base.runs / JOURNAL).unlink()

    def scored(folder: Path, rng: random.Random) -> Words | Calling:
        if not rng.randrange(SAMPLE):
            return ("score", *rng.choice(((), ("--verify",))), "--runs-dir", str(folder), *base.places[:2])
        verify, read = (lambda: verify_journal(folder)), (lambda: score(data_dir=base.store, runs_dir=folder))
        return rng.choice((verify, read))

    def journal_bytes(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / JOURNAL).write_bytes(of_bytes(journal, rng))
        return scored(folder, rng)

    def journal_rows(folder: Path, rng: random.Random) -> Words | Calling:
        (folder / JOURNAL).write_bytes(journal)
        with closing(sqlite3.connect(folder / JOURNAL)) as rows, rows:
            rows.execute("DROP TRIGGER never_changed")
            for _ in range(3):
                change = f"UPDATE OR IGNORE forecasts SET {rng.choice(COLUMNS)} = ? WHERE step = ?"
                rows.execute(change, (rng.choice(CELLS), rng.randint(1, 3)))
        return scored(folder, rng)

    def ledger(folder: Path, rng: random.Random) -> Words | Calling:
        lines = [rng.choice(LINES) for _ in range(3)]
        if rng.random() < 0.5:
            content = "".join(f"{json.dumps(of_json(line, rng))}\n" for line in lines).encode("utf-8", "replace")
        else:
            content = of_bytes("".join(f"{json.dumps(line)}\n" for line in lines).encode(), rng)
        (folder / NAME).write_bytes(content)
        if rng.randrange(SAMPLE):
            return lambda: Ledger(folder, base.runs).read()
        shutil.copytree(base.runs / "small", folder / "small")
        return ("runs", "list", "--runs-dir", str(folder), "--data-dir", str(folder))

    return {
        "journal bytes": journal_bytes,
        "journal rows": journal_rows,
        "ledger": ledger,
        "search journal": _search(base),
    }


def _search(base: Base) -> Feed:
    """A finished search of two trials, its journal changed: as bytes, a line's values, or a line away or twice."""
    (base.folder / "mine.yaml").write_text(CONFIG)
    settings, output = ("tune.trials=2",), base.folder / "tuned.yaml"
    done = tune(
        base.folder / "mine.yaml",
        settings=settings,
        workers=1,
        output=output,
        data_dir=base.store,
        runs_dir=base.folder / "searches",
    )
    content = (done.study / TRIALS).read_bytes()
    lines = content.splitlines(keepends=True)

    def feed(folder: Path, rng: random.Random) -> Words | Calling:
        study = shutil.copytree(done.study, folder / done.study.name)
        (study / TRIALS).write_bytes(of_bytes(content, rng) if rng.random() < 0.4 else b"".join(_lines(lines, rng)))
        if rng.random() < 0.1:
            (study / "losses-0.npy").write_bytes(of_bytes((study / "losses-0.npy").read_bytes(), rng))
        if not rng.randrange(10 * SAMPLE):  # what lacks a trial then trains it
            tuned = ("--set", settings[0], "--workers", "1", "--output", str(folder / "t.yaml"))
            return ("tune", str(base.folder / "mine.yaml"), *tuned, "--runs-dir", str(folder), *base.places[:2])
        return lambda: _read(study)

    return feed


def _read(study: Path) -> None:
    search = load_search(study)
    with opened(search) as found:
        findings(search, found)


def _lines(lines: list[bytes], rng: random.Random) -> list[bytes]:
    at = rng.randrange(len(lines))
    if rng.random() < 0.2:
        return [*lines[:at], *lines[at + 1 :]] if rng.random() < 0.5 else [*lines[: at + 1], *lines[at:]]
    changed = json.dumps(of_json(json.loads(lines[at]), rng)).encode("utf-8", "replace")
    return [*lines[:at], changed + b"\n", *lines[at + 1 :]]
