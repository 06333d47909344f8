"""Examine the installation, the store and, where one is named, a run."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.data.store import Store, open_store
from forecaster.errors import ForecasterError, InputError, at_most_five
from forecaster.evaluation.canaries import CANARIES, FAILED, SKIPPED, Check, Patient
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset
from forecaster.workflows import runs
from forecaster.workflows.evaluate import evaluate, fitted_period, forecasters
from forecaster.workflows.installation import check_installation, check_store
from forecaster.workflows.prepare import Say

if TYPE_CHECKING:
    from forecaster.modelfile import Model

_ORDER = ("look-ahead", "fitted-inside", "newest-candle", "labels", "scorecard", "echo", "calibration")
"""Known canaries, from what reads the future to what is only imprecise; others come after them."""


@dataclass(frozen=True)
class Examination:
    """What the doctor found.

    Args:
        run: name of the run; None where none was examined.
        notes: what the reader should know beside, a sentence each.
    """

    run: str | None
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Nothing failed."""
        return all(check.status != FAILED for check in self.checks)

    def as_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"run": self.run, "healthy": self.healthy, **asdict(self)}


def doctor(
    run: str | None = None,
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Examination:
    """Examine installation and store, and the canaries of a run.

    Recomputing its scores is no new look at the test: the model is the same.

    Args:
        run: a folder, a name under the runs folder, or `latest`.

    Raises:
        UnknownNameError, InputError: no such run, it is not finished or damaged, or the store lacks its tickers.
    """
    folder = None if run is None else runs.find_run(Path(runs_dir), run)
    model = None if folder is None else runs.finished_model(folder)
    say("looking at the installation")
    checks = list(check_installation(Path(data_dir), Path(runs_dir)))
    say("reading every file of the store")
    checks.append(check_store(Path(data_dir)))
    if folder is None or model is None:
        return Examination(None, tuple(checks))
    patient, notes = _patient(folder, model, Path(data_dir), say)
    card, by = patient.card, f"doctor {folder.name}"
    look = Look(model_of(model.config), card.first, card.last, patient.dataset.panel.tickers, by)
    looks = Ledger(Path(data_dir), folder.parent).record(look)
    models = "1 model was" if looks.count == 1 else f"{looks.count} different models were"
    notes += [f"{models} tried on this test so far, this one included.", *looks.notes]
    checks += _sung(patient, say)
    return Examination(folder.name, tuple(checks), tuple(notes))


def _patient(folder: Path, model: Model, data_dir: Path, say: Say) -> tuple[Patient, list[str]]:
    """The run with its candles and its scores made anew, and what is to be said of them."""
    config, header = model.config, model.header
    split = Split(*(np.datetime64(header.split[name]) for name in ("train", "validation", "test")))
    say(f"reading the candles of run {folder.name}")
    bars, notes = _candles(model, open_store(data_dir), split)
    panel = Panel.of([one.between(end=split.test_end) for one in bars])
    same = header.fingerprint in (panel.fingerprint, Panel.of(bars).fingerprint)
    if not same:
        notes.append("The store's candles are not those of the training to the last bit: comparisons are looser.")
    if header.production:
        notes.append("The run is examined by its tested members; those refitted on all candles have no test to show.")
    say(f"computing features of {len(panel.sessions):,} candles of {len(panel)} tickers")
    dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    rows, members = dataset.require_origins(split.test, config.task.context), model.members()
    say("scoring the test period anew")
    card = evaluate(members, config, dataset, split, templates=model.templates)
    quantiles = forecasters(members, config, dataset, split, rows)[config.name](rows)
    period, curve = fitted_period(config, split), _curve(folder / runs.CURVE)
    patient = Patient(
        model, members, tuple(bars), dataset, split, period, same, card, rows, np.asarray(quantiles, float), curve
    )
    return patient, notes


def _candles(model: Model, store: Store, split: Split) -> tuple[list[Bars], list[str]]:
    """The run's own tickers as the store has them now."""
    held, tickers, data = set(store.tickers()), model.header.tickers, model.config.data
    start, end = (None if date is None else np.datetime64(date, "D") for date in (data.start, data.end))
    read = {ticker: store.read(ticker).between(start, end) for ticker in tickers if ticker in held}
    bars = [one for one in read.values() if len(one) and one.dates[0] <= split.test_end]
    lacking = [ticker for ticker in tickers if ticker not in {one.ticker for one in bars}]
    if not bars:
        raise InputError(f"the store has none of the run's tickers ({at_most_five(tickers)}): fetch them.")
    notes = [f"The store lacks {len(lacking)} of the run's tickers ({at_most_five(lacking)})."] if lacking else []
    return bars, notes


def _curve(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sung(patient: Patient, say: Say) -> Iterator[Check]:
    """Each canary's check; what stops one does not stop the others."""
    for name in _in_order(CANARIES.names()):
        say(f"canary: {name}")
        try:
            yield CANARIES[name](patient)
        except ForecasterError as error:
            yield Check("run", name, SKIPPED, None, str(error), "a run that can be looked at", "Nothing was learnt.")


def _in_order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
