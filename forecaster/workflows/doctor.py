"""Checks the installation, the store and, if named, a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.data.store import Store, open_store
from forecaster.errors import ForecasterError, at_most_five
from forecaster.evaluation.canaries import CANARIES, FAILED, SKIPPED, Check, RunUnderTest
from forecaster.evaluation.evaluate import evaluate, forecasters
from forecaster.events import Say
from forecaster.mapped import large_arrays_beside_store
from forecaster.memory import tuned_allocator
from forecaster.runs.run import Run
from forecaster.workflows.installation import check_installation, check_store

_ORDER = ("look-ahead", "fitted-inside", "newest-candle", "labels", "scorecard", "echo", "calibration")
"""Order of the known canaries: look-ahead first, mere imprecision last; unknown ones follow."""


@dataclass(frozen=True)
class Examination:
    """Result of all checks.

    Args:
        run: name of the run; None if none was checked.
        notes: further remarks for the reader, a sentence each.
    """

    run: str | None
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether no check failed."""
        return all(check.status != FAILED for check in self.checks)

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        return {"run": self.run, "healthy": self.healthy, **asdict(self)}


@tuned_allocator()
@large_arrays_beside_store
def doctor(
    run: str | None = None,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Examination:
    """Checks installation and store, and runs the canaries of a run.

    Recomputing its scores is not a new look at the test, because the model is the same.

    Args:
        run: a folder, a name under the runs folder, or `latest`.

    Raises:
        UnknownNameError, InputError: no such run, it is unfinished or damaged, or the store lacks its tickers.
    """
    one = None if run is None else Run.find(runs_dir, run)
    say("checking the installation")
    checks = list(check_installation(Path(data_dir), Path(runs_dir)))
    say("reading every file of the store")
    checks.append(check_store(Path(data_dir)))
    if one is None:
        return Examination(None, tuple(checks))
    examined, notes = _under_test(one, open_store(data_dir), say)
    looks = one.ledger(Path(data_dir)).record(one.look(examined.card, f"doctor {one.name}"))
    models = "1 model was" if looks.count == 1 else f"{looks.count} different models were"
    notes += [f"{models} tried on this test so far, this one included.", *looks.notes]
    checks += _run_canaries(examined, say)
    return Examination(one.name, tuple(checks), tuple(notes))


def _under_test(run: Run, store: Store, say: Say) -> tuple[RunUnderTest, list[str]]:
    """The run with its candles and its recomputed scores, and notes about them."""
    say(f"reading the candles of run {run.name}")
    candles, notes = run.candles(store), []
    if candles.missing:
        notes.append(f"The store lacks {len(candles.missing)} of the run's tickers ({at_most_five(candles.missing)}).")
    same = run.was_trained_on(candles)
    if not same:
        notes.append("The store's candles are not exactly those of the training: comparisons are looser.")
    if run.header.refit:
        notes.append("The checks use the run's tested members; those refitted on all candles have no test period.")
    say("computing features")
    trial, members = run.trial(candles), run.model.members()
    say("scoring the test period again")
    card = evaluate(members, trial, templates=run.model.templates).by_weights(run.header.fitted_to)
    quantiles = forecasters(members, trial, trial.test_rows)[run.config.name](trial.test_rows)
    curves = run.curves() or [[] for _ in members]
    tested = {one.ticker for one in candles.bars if one.dates[0] <= run.split.test_end}
    bars = tuple(one for one in candles.bars if one.ticker in tested)
    return RunUnderTest(run.model, members, bars, trial, same, card, np.asarray(quantiles, float), curves), notes


def _run_canaries(examined: RunUnderTest, say: Say) -> Iterator[Check]:
    """Yields each canary's check; an error in one does not stop the others."""
    for name in _in_order(CANARIES.names()):
        say(f"canary: {name}")
        try:
            yield CANARIES[name](examined)
        except ForecasterError as error:
            yield Check(
                "run", name, SKIPPED, None, str(error), "a run that can be checked", "This check could not run."
            )


def _in_order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
