"""Lists runs, and shows one."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecaster.config.about import trained_from
from forecaster.errors import InputError, NewerFileError, OutsideError
from forecaster.evaluation.ledger import Known, Ledger
from forecaster.evaluation.scorecard import Scorecard
from forecaster.header import Header
from forecaster.modelfile import read_model
from forecaster.runs import folder as folders
from forecaster.runs.differences import config_of, data_of
from forecaster.runs.run import Run


@dataclass(frozen=True)
class RunRecord:
    """One line about a run; values that an unfinished or damaged run lacks are None.

    Args:
        status: `finished`, `unfinished`, `damaged`, or `newer`: a newer version of this program made it.
        made: local time at which its model file, or else its config, was written.
        horizon: steps, in sessions.
        config: name of the config that it was trained from, which runs of older versions do not tell.
        in_sample: the weights have seen days of the test.
        verdict: code of the test's verdict; skill and p refer to the hardest simple formula, corrected for the looks at
            the test so far.
    """

    name: str
    status: str
    made: str
    model: str | None = None
    horizon: tuple[int, ...] | None = None
    tickers: int | None = None
    verdict: str | None = None
    pinball_skill: float | None = None
    p_value: float | None = None
    config: str | None = None
    in_sample: bool | None = None


@dataclass(frozen=True)
class RunListing:
    """All runs of a folder, newest last; `damaged` has one message for each that cannot be read."""

    records: tuple[RunRecord, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class RunDetails:
    """Details of a finished run.

    Args:
        card: scorecard of its test, with the looks at that test so far.
        weights: number of trained parameters, production weights included.
        size: of the model file, in bytes.
    """

    name: str
    folder: Path
    made: str
    weights: int
    size: int
    header: Header
    card: Scorecard

    def as_data(self) -> dict[str, Any]:
        """Values for JSON."""
        head, card = self.header, self.card.as_data()
        return {
            "run": self.name,
            "folder": str(self.folder),
            "made": self.made,
            "weights": self.weights,
            "size": self.size,
            "config": config_of(head),
            "data": data_of(head) | {"tickers": list(head.tickers)},
            "features": list(head.features),
            "versions": dict(head.versions),
            **{key: card[key] for key in ("verdict", "test_period_looks", "models", "measures", "notes")},
        }


def list_runs(runs_dir: Path | str = "runs", *, data_dir: Path | str = "data/store") -> RunListing:
    """Describes every run of a folder.

    Raises:
        InputError: there are no runs.
    """
    root = Path(runs_dir)
    places = folders.run_folders(root)
    if not places:
        raise InputError(f"{root.absolute()} holds no run: train one with `forecast train demo`.")
    known = Ledger(Path(data_dir), root).read()
    records: list[RunRecord] = []
    damaged: list[str] = []
    for folder in sorted(places, key=lambda folder: (_written(folder), folder.name)):
        try:
            record = _record(folder, known)
        except (InputError, OutsideError) as error:
            status = "newer" if isinstance(error, NewerFileError) else "damaged"
            record = RunRecord(folder.name, status, _made(folder))
            damaged.append(str(error))
        records.append(replace(record, config=trained_from(folder / folders.CONFIG) or None))
    return RunListing(tuple(records), tuple(damaged))


def show_run(run: str = "latest", *, data_dir: Path | str = "data/store", runs_dir: Path | str = "runs") -> RunDetails:
    """Details of a finished run.

    Raises:
        UnknownNameError: no such run.
        InputError: it is not finished, or its model file is damaged.
    """
    one = Run.find(runs_dir, run)
    size = one.model.path.stat().st_size
    weights = sum(int(tensor.size) for name, tensor in one.model.tensors.items() if not name.startswith("paths/"))
    card = one.scorecard(one.ledger(Path(data_dir)).read())
    return RunDetails(one.name, one.folder, _made(one.folder), weights, size, one.header, card)


def _record(folder: Path, known: Known) -> RunRecord:
    if not (folder / folders.MODEL).is_file():
        return RunRecord(folder.name, "unfinished", _made(folder))
    one = Run(folder, read_model(folder / folders.MODEL), folder.parent)
    card, config = one.scorecard(known), one.config
    verdict, seen = card.verdict, card.in_sample is not None
    figures = (verdict.code, verdict.pinball_skill, verdict.p_value)
    about = (config.name, config.task.steps, len(one.tickers))
    return RunRecord(folder.name, "finished", _made(folder), *about, *figures, in_sample=seen)


def _written(folder: Path) -> float:
    for path in (folder / folders.MODEL, folder / folders.CONFIG):
        with contextlib.suppress(OSError):  # it may have been deleted since the folder was listed
            return path.stat().st_mtime
    return 0.0


def _made(folder: Path) -> str:
    return dt.datetime.fromtimestamp(_written(folder)).isoformat(" ", "minutes")
