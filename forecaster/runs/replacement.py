"""Overwriting a run: the new one is trained beside it, and takes its place when it is finished.

A run `first` that is being replaced keeps its folder until then; the new one is in `.first.new`, which is no run yet.
`forecast train --resume first` continues it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecaster.errors import InputError, OutsideError
from forecaster.files import outside_errors, write_text
from forecaster.runs.folder import CONFIG, CURVE, MODEL, REPORT, find_run, run_folders
from forecaster.tracking.events import EVENTS
from forecaster.training.files import checkpoints, shared_candles

_STAGED = re.compile(r"\.(.+)\.new")
_MAKING = ".making"
"""How the name of a folder ends that has no config yet."""


def staged(folder: Path) -> Path:
    """Where the replacement of a run is trained."""
    return folder.with_name(f".{folder.name}.new")


def run_name(workplace: Path) -> str:
    """Name of the run that is trained in a folder: its own, or that of the run that it will replace."""
    found = _STAGED.fullmatch(workplace.name)
    return found[1] if found else workplace.name


def begin(folder: Path, force: bool, config: str) -> Path:
    """Creates the folder to train a run in: its own, or with `force` one beside the run that it will replace.

    It appears with its config in it, or not at all: a folder without one could be neither resumed nor named again.

    Raises:
        InputError: another process has just created it, or trains in it.
        OutsideError: it cannot be created.
    """
    workplace = staged(folder) if force and folder.exists() else folder
    with outside_errors(workplace):
        workplace.parent.mkdir(parents=True, exist_ok=True)
        with alone_in(workplace.parent, wait=True):
            if workplace != folder and workplace.exists():  # a replacement that was begun and given up
                with training_in(workplace):
                    shutil.rmtree(workplace)
            if workplace.exists():
                raise InputError(f"run {folder.name} exists in {folder.parent}: another process has just created it.")
            making = folder.with_name(f".{folder.name}{_MAKING}")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            write_text(making / CONFIG, config)
            making.rename(workplace)
    return workplace


@contextmanager
def training_in(workplace: Path) -> Iterator[None]:
    """Inside, no other process trains in this folder.

    Raises:
        InputError: another one does.
    """
    with alone_in(workplace) as alone:
        if not alone:
            name, pid = run_name(workplace), holder(workplace)
            who = "another process" if pid is None else f"process {pid}"
            raise InputError(f"run {name} is being trained by {who}: wait for it, or end it.")
        for part in workplace.glob(".*.part"):  # of a process that was killed
            part.unlink(missing_ok=True)
        for candles in workplace.glob(_candles(workplace)):
            shutil.rmtree(candles, ignore_errors=True)
        yield


def sweep(runs_dir: Path) -> None:
    """Removes what killed processes have left in run folders, and settles a replacement that is finished.

    What cannot be removed stays: that is no reason to fail.
    """
    with contextlib.suppress(OSError, InputError, OutsideError), alone_in(runs_dir) as alone:
        for making in runs_dir.glob(f".*{_MAKING}") if alone else ():
            shutil.rmtree(making, ignore_errors=True)
    for workplace in [*runs_dir.glob(".*.new"), *run_folders(runs_dir)]:
        if _is_littered(workplace):
            with contextlib.suppress(OSError, InputError, OutsideError), training_in(workplace):
                if not (workplace / MODEL).is_file():  # it may be resumed from its checkpoints
                    continue
                for left_over in checkpoints(workplace):
                    left_over.unlink(missing_ok=True)
                settle(workplace)


def _is_littered(folder: Path) -> bool:
    if any(next(folder.glob(left), None) for left in (".*.part", _candles(folder))):
        return True
    return (folder / MODEL).is_file() and bool(_STAGED.fullmatch(folder.name) or checkpoints(folder))


def _candles(folder: Path) -> str:
    """A pattern of the folders that other processes read candles from."""
    return shared_candles(folder, "*").name


@contextmanager
def alone_in(folder: Path, wait: bool = False) -> Iterator[bool]:
    """Whether no other process has claimed a folder; it is claimed meanwhile.

    The claim is a lock on the folder itself, which leaves no file and ends with its process. Where there are no such
    locks everyone is alone.
    """
    if os.name != "posix":
        yield True
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        except OSError:  # such as an older NFS
            pass
        yield True
    finally:
        os.close(handle)


def holder(folder: Path) -> int | None:
    """The process of this machine that has claimed a folder; None where the system does not tell.

    Linux lists all locks and their owners, so that no number has to be written to a file, which would outlive it.
    """
    try:
        state, locks = folder.stat(), Path("/proc/locks").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    place = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    for line in locks.splitlines():  # such as `1: FLOCK  ADVISORY  WRITE 4242 fe:00:131074 0 EOF`
        words = line.split()
        if words[1:2] == ["FLOCK"] and words[5:6] == [place] and int(words[4]) > 0:
            return int(words[4])
    return None


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
            if (workplace / name).is_file():  # else it was moved before this was cut short
                (workplace / name).replace(folder / name)
        for stale in (folder / REPORT, *checkpoints(folder)):
            stale.unlink(missing_ok=True)
        shutil.rmtree(folder / EVENTS, ignore_errors=True)
        shutil.rmtree(workplace)
    return folder
