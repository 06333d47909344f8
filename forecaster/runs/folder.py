"""The runs folder: one folder for each run, with the resolved config, the training curve and one model file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.errors import InputError, UnknownNameError
from forecaster.files import is_folder
from forecaster.places import shipped

if TYPE_CHECKING:
    from forecaster.modelfile import Model

MODEL = "model.safetensors"
CONFIG = "config.yaml"
CURVE = "curve.csv"
REPORT = "report.html"

LATEST, PRETRAINED = "latest", "pretrained"
"""Names of no folder of the user's: the newest run, and the shipped one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def new_folder(runs_dir: Path, name: str | None, config: str, force: bool = False) -> Path:
    """Path of a new run's folder, not created yet; named after the config and the time unless a name is given.

    Args:
        force: the name may be that of a run, which is to be overwritten.

    Raises:
        InputError: the name is taken or not a plain file name.
    """
    chosen = name or f"{_plain(config)}-{dt.datetime.now():%Y%m%d-%H%M%S}"
    if not _NAME.fullmatch(chosen):
        raise InputError(f"--name {chosen!r}: expected letters, digits and . _ - only, as in gru-sp500.")
    if chosen in (LATEST, PRETRAINED):
        raise InputError(f"--name {chosen} is reserved: choose another name, such as my-{chosen}.")
    folder, number = runs_dir / chosen, 1
    while name is None and folder.exists():
        number += 1
        folder = runs_dir / f"{chosen}-{number}"
    if folder.exists() and not (force and _is_replaceable(folder)):
        remedy = "" if (folder / MODEL).is_file() else f", continue it with --resume {chosen}"
        raise InputError(
            f"run {chosen} exists in {runs_dir}: choose another --name{remedy}, or overwrite it with --force."
        )
    return folder


def _plain(config: str) -> str:
    """A config's name as the beginning of a folder's name."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", config).strip("-._+")[:60] or "run"


def _is_replaceable(folder: Path) -> bool:
    """Whether a run can be overwritten.

    Raises:
        InputError: it is not a run of this folder.
    """
    if folder.is_symlink() or not ((folder / MODEL).is_file() or (folder / CONFIG).is_file()):
        raise InputError(f"{folder} is a link or not a run, and is not overwritten: choose another --name.")
    return True


def run_folders(runs_dir: Path) -> list[Path]:
    """Folders of all runs, finished or not, by name; those being made or deleted, whose names begin with a dot, not."""
    holders = {path.parent for name in (MODEL, CONFIG) for path in runs_dir.glob(f"*/{name}")}
    return sorted(folder for folder in holders if _NAME.fullmatch(folder.name))


def finished_runs(runs_dir: Path) -> list[Path]:
    """Folders of the runs that have a model file, newest last."""
    files = [path for folder in run_folders(runs_dir) if (path := folder / MODEL).is_file()]
    return [path.parent for path in sorted(files, key=lambda path: (_changed(path), path.parent.name))]


def _changed(path: Path) -> int:
    """Time of change; 0 of a file that was deleted since the folder was listed."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def find_run(runs_dir: Path, run: str = "latest") -> Path:
    """The folder that RUN means: a folder, a name under the runs folder, `latest`, or `pretrained`.

    Raises:
        InputError: there is no run yet.
        UnknownNameError: no such run.
    """
    finished = finished_runs(runs_dir)
    if run == LATEST:
        if not finished:
            raise InputError(f"{runs_dir.absolute()} holds no finished run: train one with `forecast train demo`.")
        return finished[-1]
    if run == PRETRAINED:
        return shipped_run()
    for folder in (runs_dir / run, Path(run)):
        if _NAME.fullmatch(folder.name) and is_folder(folder):
            return folder
    raise UnknownNameError("run", run, [*(folder.name for folder in finished), PRETRAINED])


def shipped_run() -> Path:
    """The folder of the shipped run, which was trained on American stocks: it holds the model file only."""
    return shipped("models") / PRETRAINED


def is_shipped(folder: Path) -> bool:
    """Whether this is the shipped run's folder: nothing may be written to it."""
    return folder == shipped_run()


def own_or_shipped(runs_dir: Path, run: str = LATEST) -> str:
    """`run`, or `pretrained` where that means the newest run and there is none."""
    return PRETRAINED if run == LATEST and not finished_runs(runs_dir) else run


def finished_model(folder: Path) -> Model:
    """The model of a run.

    Raises:
        InputError: the run is not finished, or its model file is damaged.
    """
    from forecaster.modelfile import read_model

    if is_shipped(folder):
        return _shipped_model(folder)
    if not (folder / CONFIG).is_file() and not (folder / MODEL).is_file():
        raise InputError(f"{folder.absolute()} is not a run: it has neither {MODEL} nor {CONFIG}; name another folder.")
    if not (folder / MODEL).is_file():
        raise InputError(f"run {folder.name} is not finished: continue it with forecast train --resume {folder.name}.")
    return read_model(folder / MODEL)


def _shipped_model(folder: Path) -> Model:
    from forecaster.modelfile import read_model
    from forecaster.release import DISTRIBUTION

    try:
        return read_model(folder / MODEL)
    except InputError as error:
        reason = str(error).removesuffix(" Train it again or name another run.").rstrip(".")
        raise InputError(
            f"the shipped model is missing or damaged: install {DISTRIBUTION} again ({reason})."
        ) from error
