"""Deletes runs: only folders inside the runs folder that are runs, and never through a link."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forecaster.config.document import parse
from forecaster.errors import ConfigError, ForecasterError, InputError, UnknownNameError
from forecaster.files import outside_errors, read_text
from forecaster.runs import folder as folders
from forecaster.runs.replacement import staged
from forecaster.tensorfile import load_tensors

_SECTIONS = {"data", "features", "task", "training"}
"""Keys that every run's own config has."""


@dataclass(frozen=True)
class Condemned:
    """A run that can be deleted.

    Args:
        files: number of files in its folder; `size` is their sum in bytes.
    """

    folder: Path
    finished: bool
    files: int
    size: int


def find_runs(names: Sequence[str], runs_dir: Path | str = "runs") -> tuple[list[Condemned], list[ForecasterError]]:
    """The runs of these names, each once, and an error for each name that is not a run to be deleted."""
    found: dict[Path, Condemned] = {}
    errors: list[ForecasterError] = []
    for name in names:
        try:
            folder = _folder(Path(runs_dir), name)
            found.setdefault(folder, _condemned(folder))
        except ForecasterError as error:
            errors.append(error)
    return list(found.values()), errors


def delete_runs(runs: Iterable[Condemned]) -> tuple[list[Condemned], list[ForecasterError]]:
    """Deletes runs; returns those that are gone, and an error for each that is not.

    Their forecasts stay in the journal and their looks at a test in the ledger: both happened.
    """
    gone: list[Condemned] = []
    errors: list[ForecasterError] = []
    for run in runs:
        try:
            _delete(run.folder)
            gone.append(run)
        except ForecasterError as error:
            errors.append(error)
    return gone, errors


def exit_code(gone: Sequence[Condemned], errors: Sequence[ForecasterError]) -> int:
    """0 if every run was deleted, 3 if some were, else the failure's own code."""
    if not errors:
        return 0
    return 3 if gone else max(error.exit_code for error in errors)


def _folder(runs_dir: Path, name: str) -> Path:
    """The folder of a run, as a direct child of the runs folder.

    Raises:
        UnknownNameError: there is no such folder.
        InputError: it lies elsewhere, is a link, or is not a run.
    """
    try:
        given = folders.find_run(runs_dir, name)
    except UnknownNameError as error:
        raise UnknownNameError("run", name, [one.name for one in folders.run_folders(runs_dir)]) from error
    folder = runs_dir / given.name
    if given.is_symlink():
        raise InputError(f"{given} is a link, not a run: delete the link by hand if it is not wanted.")
    if not folder.exists() or not folder.samefile(given):
        raise InputError(f"{name!r} is not a run of the folder {runs_dir}: name a run in it, or another --runs-dir.")
    if not _is_run(folder):
        raise InputError(f"{folder} is not a run: it has no {folders.CONFIG} or {folders.MODEL} of one; left as it is.")
    return folder


def _is_run(folder: Path) -> bool:
    """Whether its config or its model file is ours: others use these names too."""
    try:
        if parse(read_text(folder / folders.CONFIG), folders.CONFIG).values.keys() >= _SECTIONS:
            return True
    except (OSError, UnicodeDecodeError, ConfigError):
        pass
    try:
        load_tensors(folder / folders.MODEL)
    except InputError:
        return False
    return True


def _condemned(folder: Path) -> Condemned:
    sizes = [path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file()]
    return Condemned(folder, (folder / folders.MODEL).is_file(), len(sizes), sum(sizes))


def _delete(folder: Path) -> None:
    """Renames the folder before deleting it: a run is there as a whole, or it is not there.

    Raises:
        OutsideError: the folder cannot be written.
    """
    doomed = folder.with_name(f".{folder.name}.deleted")
    with outside_errors(folder):
        if doomed.exists():  # of a deletion that was killed
            shutil.rmtree(doomed)
        folder.rename(doomed)
        shutil.rmtree(doomed)
        if (replacement := staged(folder)).exists():  # begun, and given up
            shutil.rmtree(replacement)
