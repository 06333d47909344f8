"""Overwriting a run: the new one is trained beside it, and takes its place when it is finished.

A run `first` that is being replaced keeps its folder until then; the new one is in `.first.new`, which is no run yet.
`forecast train --resume first` continues it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from forecaster.errors import InputError
from forecaster.files import outside_errors
from forecaster.runs.folder import CONFIG, CURVE, MODEL, REPORT, create, find_run, run_folders
from forecaster.tracking.events import EVENTS
from forecaster.training.files import checkpoints

_STAGED = re.compile(r"\.(.+)\.new")


def staged(folder: Path) -> Path:
    """Where the replacement of a run is trained."""
    return folder.with_name(f".{folder.name}.new")


def run_name(workplace: Path) -> str:
    """Name of the run that is trained in a folder: its own, or that of the run that it will replace."""
    found = _STAGED.fullmatch(workplace.name)
    return found[1] if found else workplace.name


def begin(folder: Path, force: bool) -> Path:
    """Creates the folder to train a run in: its own, or with `force` one beside the run that it will replace.

    Raises:
        OutsideError: it cannot be created.
    """
    workplace = staged(folder) if force and folder.exists() else folder
    if workplace != folder and workplace.exists():  # a replacement that was begun and given up
        with outside_errors(workplace):
            shutil.rmtree(workplace)
    create(workplace)
    return workplace


def unfinished_run(runs_dir: Path, run: str) -> Path:
    """The folder of an interrupted run, or of an interrupted replacement of it; `latest` is the newest one.

    Raises:
        InputError: there is none, or the run is finished.
        UnknownNameError: no such run.
    """
    if run == "latest":
        begun = [*run_folders(runs_dir), *(path.parent for path in runs_dir.glob(f".*.new/{CONFIG}"))]
        interrupted = [folder for folder in begun if _is_unfinished(folder)]
        if not interrupted:
            raise InputError(f"{runs_dir.absolute()} holds no interrupted run: there is nothing to resume.")
        return max(interrupted, key=lambda folder: ((folder / CONFIG).stat().st_mtime_ns, folder.name))
    folder = find_run(runs_dir, run)
    if _is_unfinished(staged(folder)):
        return staged(folder)
    if (folder / MODEL).is_file():
        raise InputError(f"run {folder.name} is finished: there is nothing to resume.")
    return folder


def _is_unfinished(folder: Path) -> bool:
    return (folder / CONFIG).is_file() and not (folder / MODEL).is_file()


def settle(workplace: Path) -> Path:
    """Puts a finished run in its place and returns its folder.

    Each file replaces the old one as a whole, the model file last: whenever this is cut short, there is a finished run
    of that name. What was made from the old model goes.

    Raises:
        OutsideError: the folder cannot be written.
    """
    folder = workplace.with_name(run_name(workplace))
    if folder == workplace:
        return folder
    with outside_errors(folder):
        folder.mkdir(exist_ok=True)
        for name in (CURVE, CONFIG, MODEL):
            (workplace / name).replace(folder / name)
        for stale in (folder / REPORT, *checkpoints(folder)):
            stale.unlink(missing_ok=True)
        shutil.rmtree(folder / EVENTS, ignore_errors=True)
        shutil.rmtree(workplace)
    return folder
