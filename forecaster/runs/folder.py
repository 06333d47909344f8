"""The runs folder: one folder a run, holding the resolved config, the training curve and one model file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.errors import InputError, UnknownNameError
from forecaster.files import outside_errors

if TYPE_CHECKING:
    from forecaster.modelfile import Model

MODEL = "model.safetensors"
CONFIG = "config.yaml"
CURVE = "curve.csv"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def free_place(runs_dir: Path, name: str | None, model: str) -> Path:
    """A folder for a new run, not made yet; without a name it is called after the model and the time.

    Raises:
        InputError: the name is taken or not a plain file name.
    """
    chosen = name or f"{model}-{dt.datetime.now():%Y%m%d-%H%M%S}"
    if not _NAME.fullmatch(chosen) or chosen == "latest":
        raise InputError(f"--name {chosen!r}: expected letters, digits and . _ - only, as in gru-sp500.")
    folder, number = runs_dir / chosen, 1
    while name is None and folder.exists():
        number += 1
        folder = runs_dir / f"{chosen}-{number}"
    if folder.exists():
        remedy = "" if (folder / MODEL).is_file() else f", or go on with --resume {chosen}"
        raise InputError(f"run {chosen} exists in {runs_dir}: choose another --name{remedy}.")
    return folder


def make(folder: Path) -> None:
    """Make the folder of a run.

    Raises:
        OutsideError: it cannot be made.
    """
    with outside_errors(folder):
        folder.mkdir(parents=True)


def finished_runs(runs_dir: Path) -> list[Path]:
    """Folders of the runs that have a model file, the newest last."""
    files = [path for path in runs_dir.glob(f"*/{MODEL}") if path.is_file()]
    return [path.parent for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.parent.name))]


def unfinished_run(runs_dir: Path, run: str) -> Path:
    """The folder of a run that was interrupted; `latest` is the newest such.

    Raises:
        InputError: there is none, or the run is finished.
        UnknownNameError: no such run.
    """
    if run == "latest":
        begun = [path.parent for path in runs_dir.glob(f"*/{CONFIG}") if not (path.parent / MODEL).is_file()]
        if not begun:
            raise InputError(f"{runs_dir.absolute()} holds no interrupted run: there is nothing to resume.")
        return max(begun, key=lambda folder: ((folder / CONFIG).stat().st_mtime_ns, folder.name))
    folder = find_run(runs_dir, run)
    if (folder / MODEL).is_file():
        raise InputError(f"run {folder.name} is finished: there is nothing to resume.")
    return folder


def find_run(runs_dir: Path, run: str = "latest") -> Path:
    """The folder that RUN means: a folder, a name under the runs folder, or `latest`.

    Raises:
        InputError: there is no run yet.
        UnknownNameError: no such run.
    """
    finished = finished_runs(runs_dir)
    if run == "latest":
        if not finished:
            raise InputError(f"{runs_dir.absolute()} holds no finished run: train one with `forecast train demo`.")
        return finished[-1]
    for folder in (runs_dir / run, Path(run)):
        if _NAME.fullmatch(folder.name) and folder.is_dir():
            return folder
    raise UnknownNameError("run", run, [folder.name for folder in finished])


def finished_model(folder: Path) -> Model:
    """The model of a run.

    Raises:
        InputError: the run is not finished, or its model file is damaged.
    """
    from forecaster.modelfile import read_model

    if not (folder / CONFIG).is_file() and not (folder / MODEL).is_file():
        raise InputError(f"{folder.absolute()} is no run: it holds neither {MODEL} nor {CONFIG}; name another.")
    if not (folder / MODEL).is_file():
        raise InputError(f"run {folder.name} is not finished: go on with forecast train --resume {folder.name}.")
    return read_model(folder / MODEL)
