"""Scores the forecasts of the journal against what happened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forecaster.baselines import REFERENCE
from forecaster.data.bars import Bars
from forecaster.data.store import Store, open_store
from forecaster.errors import DataError, InputError, UnknownNameError
from forecaster.evaluation.chain import ChainState
from forecaster.evaluation.journal import JOURNAL, read, runs_in, verify
from forecaster.evaluation.outcomes import DAMAGED, REASONS, WAITING, Outcomes, outcomes
from forecaster.evaluation.track import LIVE, TrackRow, track
from forecaster.evaluation.trackverdict import TrackVerdict, judge
from forecaster.runs import folder as runs


@dataclass(frozen=True)
class SetAside:
    """Sessions that are not scored, and why."""

    reason: str
    live: bool
    sessions: int


@dataclass(frozen=True)
class TrackRecord:
    """Scores of the journal's forecasts.

    Args:
        verdicts: one for each run with live forecasts whose sessions have taken place.
        next_day: first session of a live forecast that the store does not have yet; None if there is none.
    """

    journal: Path
    reference: str
    rows: tuple[TrackRow, ...]
    verdicts: tuple[TrackVerdict, ...]
    set_aside: tuple[SetAside, ...]
    next_day: str | None

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        return asdict(self) | {"journal": str(self.journal)}


def score(run: str | None = None, *, data_dir: Path | str = "data/store", runs_dir: Path | str = "runs") -> TrackRecord:
    """Scores every forecast of the journal whose session has taken place.

    Args:
        run: a folder, a name, or `latest`; all runs in the journal if absent, including deleted ones.

    Raises:
        InputError: there is no journal yet, it cannot be read, or it has no forecast of the run.
        UnknownNameError: no such run.
    """
    journal, name = _journal_and_name(Path(runs_dir), run)
    entries = read(journal, name).first_made()
    if not len(entries) and not entries.damaged:
        raise InputError(
            f"{journal} holds no forecast{f' of run {name}' if name else ''}: make one with {_hint(name)}."
        )
    found = outcomes(entries, _histories(open_store(data_dir), entries.ticker.present))
    rows = track(found)
    live = [row for row in rows if (row.made, row.by) == (LIVE, "all")]
    return TrackRecord(
        journal=journal,
        reference=REFERENCE,
        rows=tuple(rows),
        verdicts=tuple(judge(row, len(live)) for row in live),
        set_aside=tuple(_set_aside(found)),
        next_day=_next_day(found),
    )


def verify_journal(runs_dir: Path | str = "runs") -> ChainState:
    """Checks the journal's hash chain.

    Raises:
        InputError: there is no journal yet, it cannot be read, or it has no chain.
    """
    return verify(Path(runs_dir) / JOURNAL)


def _journal_and_name(root: Path, run: str | None) -> tuple[Path, str | None]:
    """Path of the journal, and the run's name in it."""
    if run is None or run in (known := runs_in(root / JOURNAL)):
        return root / JOURNAL, run
    try:
        folder = runs.find_run(root, run)
    except UnknownNameError as error:
        raise UnknownNameError("run", run, {*known, *(one.name for one in runs.finished_runs(root))}) from error
    return (root if runs.is_shipped(folder) else folder.parent) / JOURNAL, folder.name


def _hint(name: str | None) -> str:
    return f"forecast predict TICKER --run {name}" if name else "forecast predict TICKER"


def _histories(store: Store, tickers: Iterable[str]) -> dict[str, Bars]:
    """Candles of the tickers that the store still has."""
    histories = {}
    for ticker in sorted(tickers):
        with contextlib.suppress(DataError, UnknownNameError):
            histories[ticker] = store.read(ticker)
    return histories


def _set_aside(found: Outcomes) -> list[SetAside]:
    live, damaged = found.entries.live, found.entries.damaged
    counts = [
        SetAside(REASONS[reason], made, int(((found.reasons == reason) & (live == made)).sum()))
        for reason in range(1, len(REASONS))
        for made in (True, False)
    ]
    counts += [SetAside(DAMAGED, False, damaged)]
    return sorted((one for one in counts if one.sessions), key=lambda one: -one.sessions)


def _next_day(found: Outcomes) -> str | None:
    days = found.entries.date.days()[(found.reasons == REASONS.index(WAITING)) & found.entries.live]
    return str(days.min()) if len(days) else None
