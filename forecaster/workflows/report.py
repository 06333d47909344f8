"""All that a page about a run says, gathered from its folder and from the store."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from forecaster.config.schema import Config
from forecaster.data.panel import Panel
from forecaster.data.splits import Split
from forecaster.data.store import Store, open_store
from forecaster.errors import DataError, InputError, at_most_five
from forecaster.evaluation.ledger import Ledger
from forecaster.evaluation.look import Look, model_of
from forecaster.evaluation.rows import find
from forecaster.evaluation.scorecard import Scorecard
from forecaster.features.compute import compute_features
from forecaster.features.dataset import Dataset, Rows
from forecaster.modelfile import Header
from forecaster.workflows import runs
from forecaster.workflows.diagnose import Diagnosis, diagnose
from forecaster.workflows.explorer import ORIGINS

_SAME = 5e-5
"""Skills that differ by less than this are the same: the last bits depend on the machine."""


@dataclass(frozen=True)
class CurvePoint:
    """One line of the training curve; validation loss and skill are None where they were not measured."""

    member: int
    step: int
    loss: float
    validation: float | None
    skill: float | None


@dataclass(frozen=True, eq=False)
class Report:
    """What a page about a run says.

    Args:
        card: how it did in the test period, as its training said.
        curve: of each network, in order; empty where there is no curve.
        diagnosis: what its forecasts of the test period show; None where they would be no test.
        notes: what cannot be shown or is not as it was in training, a sentence each.
    """

    folder: Path
    header: Header
    config: Config
    card: Scorecard
    curve: tuple[CurvePoint, ...]
    diagnosis: Diagnosis | None
    notes: tuple[str, ...]

    @property
    def run(self) -> str:
        """The run's name."""
        return self.folder.name


def report(
    run: str = "latest",
    *,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Gather a run's report; its forecasts of the test period are computed again.

    Args:
        run: a folder, a name under the runs folder, or `latest`.

    Raises:
        UnknownNameError: no such run.
        InputError: it is not finished or damaged, or the store has nothing of its test period.
    """
    from forecaster.workflows.evaluate import forecasters

    folder = runs.find_run(Path(runs_dir), run)
    model = runs.finished_model(folder)
    networks, config, header = model.members(), model.config, model.header
    card, split = _told(header, folder)
    curve = _curve(folder / runs.CURVE)
    notes = []
    if curve is None:
        notes.append(f"The training curve is not shown: the run's folder has no readable {runs.CURVE}.")
    diagnosis = None
    if header.fitted_to > str(split.validation_end):
        notes.append(
            f"The run has learnt from days up to {header.fitted_to}, so that forecasts of the days after "
            f"{split.validation_end} would be no test of it: calibration, skill by month and ticker, the echo check "
            "and the explorer are left out."
        )
    else:
        say("reading candles")
        panel = _panel(open_store(data_dir), header, config, folder.name)
        dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
        if dataset.features.names != header.features:
            raise InputError(f"run {folder.name} reads other features than this version computes: train it again.")
        rows = _origins(dataset, split, config, folder.name)
        say(f"forecasting {len(rows):,} origins of the test period")
        diagnosis = diagnose(
            forecasters(networks, config, dataset, split, rows, baselines=[card.hardest]),
            dataset,
            split,
            rows,
            config.task.levels,
        )
        notes += _changes(panel, header, split, card, diagnosis)
    look = Look(model_of(config), card.first, card.last, header.tickers, f"report {folder.name}")
    looks = Ledger(Path(data_dir), Path(runs_dir)).record(look)
    return Report(folder, header, config, card.after(looks.count), curve or (), diagnosis, (*notes, *looks.notes))


def _told(header: Header, folder: Path) -> tuple[Scorecard, Split]:
    """What the header says, when it makes sense: a model file may come from anywhere."""
    from pydantic import TypeAdapter

    try:
        split = Split(*(np.datetime64(header.split[name], "D") for name in ("train", "validation", "test")))
        card = TypeAdapter(Scorecard).validate_python(asdict(Scorecard.read(header.scorecard)))
        texts = (*header.tickers, header.fitted_to, header.fingerprint)
        if not all(isinstance(text, str) for text in texts) or not (card.rows and card.horizon):
            raise ValueError("its tickers, dates or scorecard are none")
        TypeAdapter(tuple[dict[str, str], str | None]).validate_python((header.versions, _refit(header)))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"model file {folder / runs.MODEL} is damaged, or of another version: {_reason(error)}. "
            "Train it again or name another run."
        ) from error
    return card, split


def _skill(card: Scorecard, baseline: str) -> float | None:
    row = find(card.rows, card.model, "mean", "all", baseline)
    return row.skill_mae if row.skill_pinball is None else row.skill_pinball


def _reason(error: Exception) -> str:
    """The first thing that is wrong, on one line."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _refit(header: Header) -> str | None:
    """Last date that the members refitted for production have learnt from."""
    return header.production["fitted_to"] if header.production else None


def _panel(store: Store, header: Header, config: Config, run: str) -> Panel:
    """The candles of the run's own tickers, of those that the store still has."""
    start, end = (None if date is None else np.datetime64(date, "D") for date in (config.data.start, config.data.end))
    held, found = set(store.tickers()), []
    for ticker in header.tickers:
        with contextlib.suppress(DataError):  # a damaged file costs no more than a missing one, and is named as such
            if ticker in held and len(bars := store.read(ticker).between(start, end)):
                found.append(bars)
    if not found:
        raise InputError(
            f"{store.root} has no candles of run {run}'s tickers ({at_most_five(header.tickers)}): "
            "fetch them, or name the right --data-dir."
        )
    return Panel.of(found)


def _origins(dataset: Dataset, split: Split, config: Config, run: str) -> Rows:
    rows = dataset.origins(split.test, config.task.context)
    if not len(rows) or not dataset.known(rows, split.test).any(axis=0).all():
        raise InputError(
            f"the store's candles of run {run}'s tickers do not reach through its test period {split.test}: "
            "fetch a longer history, or name the right --data-dir."
        )
    return rows


def _changes(panel: Panel, header: Header, split: Split, card: Scorecard, diagnosis: Diagnosis) -> Iterator[str]:
    """In what the store is not the one that the run was trained on."""
    lacking = [ticker for ticker in header.tickers if ticker not in panel.tickers]
    if lacking:
        yield (
            f"{len(lacking)} of the {len(header.tickers)} tickers of the run cannot be shown, for the store has no "
            f"readable candles of them: {at_most_five(lacking)}."
        )
    elif header.fingerprint not in (panel.fingerprint, panel.until(split.test_end).fingerprint):
        yield "The store's candles of these tickers are not those of the training: some are newer, or were revised."
    told, now = (_skill(one, diagnosis.card.reference) for one in (card, diagnosis.card))
    if told is not None and now is not None and abs(told - now) > _SAME:
        yield (
            f"On the store as it is now the skill is {now:+.2%}, not {told:+.2%}: verdict and skill table are those of "
            "the training, all else is of now."
        )
    fewest = min(len(one.origins) for one in diagnosis.explorer)
    if fewest < min(ORIGINS, diagnosis.by_ticker.origins.min()):
        yield f"The explorer holds the last {fewest} origins of each ticker: more would make the page too large."


def _curve(path: Path) -> tuple[CurvePoint, ...] | None:
    """The training curve, empty for a run that only computes; None where it cannot be read."""
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return tuple(
            CurvePoint(
                member=int(line["member"]),
                step=int(line["step"]),
                loss=float(line["loss"]),
                validation=float(line["validation"]) if line["validation"] else None,
                skill=float(line["skill"]) if line["skill"] else None,
            )
            for line in lines
        )
    except (OSError, KeyError, TypeError, ValueError):
        return None
