"""Features larger than memory: computed once into files beside the store, and read from there through a map.

An entry is a folder named by a hash of all that its values depend on: the candles, the groups, and the code that
computes them. So another candle or another version never reads it. It is written under a temporary name and renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecaster import mapped
from forecaster.data.panel import Panel
from forecaster.errors import InputError, OutsideError
from forecaster.features import GROUPS
from forecaster.features.blocks import Allocate, ready, requirements_of
from forecaster.features.candles import Candles
from forecaster.features.compute import Features, columns, compute_features
from forecaster.features.covariates import Covariates
from forecaster.files import is_absent, is_refusal, outside_errors, read_text, unreadable_errors, write_text
from forecaster.parsing import texts
from forecaster.release import DISTRIBUTION
from forecaster.tensorfile import PARSING_ERRORS

CACHED_FROM = 2**30
"""Bytes of features from which they go to the cache: 2.3 million candles with every group."""

_FOLDER, _ABOUT, _PART = "features", "about.json", ".part"
_ARRAYS = ("values", "scale")

_KEPT = 2
"""Entries that stay, the newest: every fetch makes the older ones useless."""


@dataclass(frozen=True)
class Entry:
    """Features in the cache; `used` is when they were last read, in seconds since 1970."""

    folder: Path
    bytes: int
    used: float


def features_of(panel: Panel, groups: Sequence[str]) -> Features:
    """The features of a panel: in memory, or in the cache where they are large and a workflow names a folder.

    Bit for bit the same either way. A damaged entry is computed again.

    Raises:
        UnknownNameError: no such group.
        OutsideError: the disk is full, or the system refuses to read the entry.
    """
    place = mapped.folder()
    if place is None or _bytes(panel, groups) < CACHED_FROM or not mapped.writable(place / _FOLDER):
        return compute_features(panel, groups)
    folder = place / _FOLDER / _key(panel, groups)
    with _locked(folder):  # a second process waits for the first, and reads what it wrote
        found = _read(panel, folder)
        if found is None:
            _sweep(folder)
            _write(panel, groups, folder)
            _delete_old(folder)
            found = _read(panel, folder)
    if found is None:
        raise OutsideError(f"{folder} cannot be read, though it was just written: check the disk.")
    return found


def entries(place: Path) -> list[Entry]:
    """What the cache in a folder holds, the last used first; what killed writers left counts too."""
    folders = [path for path in (place / _FOLDER).glob("*") if path.is_dir()]
    sizes = {path: sum(file.stat().st_size for file in path.iterdir() if file.is_file()) for path in folders}
    found = [Entry(path, size, path.stat().st_mtime) for path, size in sizes.items()]
    return sorted(found, key=lambda entry: -entry.used)


def clear(place: Path) -> None:
    """Delete the cache in a folder. Processes that read from it go on: their maps keep the files.

    Raises:
        OutsideError: the folder cannot be written.
    """
    with outside_errors(place):
        for entry in entries(place):
            shutil.rmtree(entry.folder)


def _bytes(panel: Panel, groups: Sequence[str]) -> int:
    names: list[str] = []

    def record(candles: Candles) -> None:
        names.extend(columns(candles, groups))

    requirements_of(panel, [record])
    count = len(names) + len(Covariates(panel.covariates).names)
    return len(panel.sessions) * count * np.dtype(np.float32).itemsize


def _key(panel: Panel, groups: Sequence[str]) -> str:
    """Hash of the candles, the groups' names in order, the code that computes them, and the libraries' versions."""
    digest = hashlib.sha256(json.dumps([panel.fingerprint, *groups]).encode())
    own = {path for path in Path(__file__).parent.rglob("*.py") if path.name != Path(__file__).name}
    theirs = {Path(str(sys.modules[GROUPS[name].__module__].__file__)) for name in groups}
    for path in sorted(own | theirs):
        digest.update(path.read_bytes())
    for library in (DISTRIBUTION, "numpy", "exchange_calendars"):
        digest.update(importlib.metadata.version(library).encode())
    return digest.hexdigest()[:32]


def _write(panel: Panel, groups: Sequence[str], folder: Path) -> None:
    with outside_errors(folder):
        part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=_PART, dir=folder.parent))
        try:
            found = compute_features(panel, groups, allocate=[_maker(part / f"{name}.npy") for name in _ARRAYS])
            for array in (found.values, found.scale):
                _sync(array)
            write_text(part / _ABOUT, json.dumps({"names": found.names}))
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _maker(path: Path) -> Allocate:
    def make(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        with path.open("rb+") as file:
            mapped.reserve(file, path.stat().st_size)
        return array

    return make


def _sync(array: np.ndarray) -> None:
    if isinstance(array, np.memmap):
        array.flush()


def _read(panel: Panel, folder: Path) -> Features | None:
    """An entry; None if it is missing or damaged.

    Raises:
        OutsideError: the system refuses to read it: it may be whole, and must not be deleted.
    """
    with contextlib.suppress(OSError):
        os.utime(folder)
    with unreadable_errors(folder):
        try:
            names = texts(json.loads(read_text(folder / _ABOUT))["names"])
            values, scale = (mapped.read_array(folder / f"{name}.npy") for name in _ARRAYS)
        except (OSError, InputError, *PARSING_ERRORS) as error:
            if is_refusal(error) and not is_absent(error):
                raise
            return None
    rows = len(panel.sessions)
    fits = values.shape == (rows, len(names)) and scale.shape == (rows,)
    if not fits or values.dtype != np.float32 or scale.dtype.kind != "f":
        return None
    return Features(names, values, scale, ready(panel))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(folder.with_suffix(".lock")):
        yield


def _sweep(folder: Path) -> None:
    """Delete an entry that is damaged, and what killed writers of it left; the caller holds its lock."""
    shutil.rmtree(folder, ignore_errors=True)
    for left in folder.parent.glob(f"{folder.name}.*{_PART}"):
        shutil.rmtree(left, ignore_errors=True)


def _delete_old(newest: Path) -> None:
    """Delete entries beyond those kept, and what killed writers of other entries left."""
    from filelock import FileLock, Timeout

    finished = [one for one in entries(newest.parents[1]) if (one.folder / _ABOUT).is_file()]
    for entry in finished[_KEPT:]:
        shutil.rmtree(entry.folder, ignore_errors=True)
    for left in newest.parent.glob(f"*{_PART}"):
        lock = newest.parent / f"{left.name.partition('.')[0]}.lock"
        with contextlib.suppress(Timeout), FileLock(lock, timeout=0):
            shutil.rmtree(left, ignore_errors=True)
