"""What must hold after every kill: files verify, nothing is lost, nothing is left over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from forecaster.data.store import Store
from forecaster.evaluation.journal import JOURNAL, read, verify
from forecaster.evaluation.ledgerfile import NAME, content_of, parse
from forecaster.modelfile import read_model
from forecaster.runs.folder import CONFIG, MODEL
from tests.damage import damaged

LEFT_OVER = ("*.part", "*.making", "*.rename", ".backtest-*", ".*.new", ".*candles", "candles-*", "trial-*")
"""Names of what only a command at work may have; the lock files themselves stay, and are empty."""


def stored(work: Path) -> set[str]:
    return {f"{ticker} in the store" for ticker in Store(work / "store").tickers()}


def wounds(work: Path) -> list[str]:
    """What no command may ever find."""
    found = [f"{ticker} is damaged" for ticker in damaged(Store(work / "store"))]
    for model in (work / "runs").glob(f"*/{MODEL}"):
        if not model.parent.name.startswith("."):
            found += _tried(lambda model=model: read_model(model))
            found += [] if (model.parent / CONFIG).is_file() else [f"{model.parent.name} has no config"]
    journal = work / "runs" / JOURNAL
    if journal.exists():
        if wound := _tried(lambda: read(journal)):
            return [*found, *wound]
        found += _tried(lambda: verify(journal)) if len(read(journal)) else []
        found += ["the journal has damaged rows"] if not found and read(journal).damaged else []
    bad = parse(content_of(work / "store" / NAME), work / "runs").damaged
    # The last line may be cut short: the next writer begins a new one.
    return [*found, *(["the ledger has damaged lines"] if bad > 1 else [])]


def _tried(look: Callable[[], object]) -> list[str]:
    try:
        look()
    except Exception as error:  # any at all is a wound
        return [f"{type(error).__name__}: {error}"]
    return []


def left_over(work: Path) -> list[str]:
    """Temporary files and folders, and checkpoints of finished runs."""
    parts = [path for pattern in LEFT_OVER for path in work.rglob(pattern)]
    done = [path for path in (work / "runs").glob("*/checkpoint-*") if (path.parent / MODEL).is_file()]
    return [str(path.relative_to(work)) for path in (*parts, *done)]
