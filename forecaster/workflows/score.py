"""Scores the forecasts of the journal against what happened."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forecaster.baselines import REFERENCE
from forecaster.data.bars import Bars
from forecaster.data.store import Store, open_store
from forecaster.errors import DataError, InputError, UnknownNameError
from forecaster.evaluation.journal import JOURNAL, Entry, read, runs_in
from forecaster.evaluation.outcomes import WAITING, first_made, outcomes
from forecaster.evaluation.track import LIVE, TrackRow, TrackVerdict, judge, track
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
    entries = first_made(read(journal, name))
    if not entries:
        raise InputError(
            f"{journal} holds no forecast{f' of run {name}' if name else ''}: make one with {_hint(name)}."
        )
    matched, aside = outcomes(entries, _histories(open_store(data_dir), {one.ticker for one in entries}))
    rows = track(matched, frozenset((one.run, one.ticker, one.origin, one.live) for _, one in aside))
    live = [row for row in rows if (row.made, row.by) == (LIVE, "all")]
    return TrackRecord(
        journal=journal,
        reference=REFERENCE,
        rows=tuple(rows),
        verdicts=tuple(judge(row, len(live)) for row in live),
        set_aside=tuple(_set_aside(aside)),
        next_day=min((one.date for reason, one in aside if reason == WAITING and one.live), default=None),
    )


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


def _set_aside(aside: Sequence[tuple[str, Entry]]) -> list[SetAside]:
    counts = Counter((reason, one.live) for reason, one in aside)
    return [SetAside(reason, live, count) for (reason, live), count in counts.most_common()]
