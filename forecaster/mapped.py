"""Arrays larger than memory: kept in files beside the store, memory-mapped, so that the system can page them out.

Nothing else changes: the same code computes the same bits, whether an array lies in memory or in a file.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import tokenize
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

import numpy as np

from forecaster.files import existing_file, outside_errors

LARGE = 64 * 2**20
"""Bytes from which an array goes to a file. In a small store none does."""

BLOCK = 2**18
"""Rows at a time where a table is computed block by block."""

_RESERVE = 2**20

_folder: Path | None = None
"""Where large arrays go; nowhere but to memory outside of `large_arrays_in`."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def cache_of(store: Path | str) -> Path:
    """The folder of files that can be deleted and computed again, inside the store."""
    return Path(store) / ".cache"


@contextlib.contextmanager
def large_arrays_in(folder: Path) -> Iterator[None]:
    """Inside, `empty` keeps large arrays in files of a folder, which is created once it is needed."""
    global _folder
    before, _folder = _folder, folder
    try:
        yield
    finally:
        _folder = before


def large_arrays_beside_store(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Decorator of a workflow with the keyword `data_dir`: its large arrays go to that store's cache folder."""

    @functools.wraps(work)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with large_arrays_in(cache_of(str(kwargs.get("data_dir", "data/store")))):
            return work(*args, **kwargs)

    return run


def folder() -> Path | None:
    """Where large arrays go now; None if they stay in memory."""
    return _folder


def empty(shape: int | Sequence[int], dtype: np.dtype | type) -> np.ndarray:
    """`np.empty`; a large array lies in a file without a name, whose space is freed with the array.

    Raises:
        OutsideError: the disk is full.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if _folder is None or size < LARGE:
        return np.empty(shape, dtype)
    place = _folder if writable(_folder) else Path(tempfile.gettempdir())
    with outside_errors(place), tempfile.TemporaryFile(dir=place) as file:
        reserve(file, size)
        return np.memmap(file, dtype, "r+", shape=tuple(np.atleast_1d(shape))).view(np.ndarray)


def read_array(path: Path) -> np.ndarray:
    """A map of a file of numpy's; what is changed in it stays in memory.

    Raises:
        InputError: there is no such file; a pipe, which would block for ever, is none.
        OSError, ValueError: it cannot be read, or is damaged.
    """
    try:
        found = np.load(existing_file(path, "array"), mmap_mode="c", allow_pickle=False)
    except (tokenize.TokenError, SyntaxError) as error:  # numpy's header is a literal of Python
        raise ValueError(f"the header of {path.name} is damaged") from error
    if not isinstance(found, np.ndarray):  # an archive of arrays
        raise ValueError(f"{path.name} is not an array")
    return found.view(np.ndarray)


def concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    """`np.concatenate` along the first axis."""
    joined = empty((sum(map(len, parts)), *parts[0].shape[1:]), np.result_type(*parts))
    return np.concatenate(parts, out=joined)


class Pool:
    """Keeps many small arrays: the first where they are, those beyond `LARGE` bytes as copies in mapped files."""

    def __init__(self) -> None:
        self._held = 0
        self._chunk = np.empty(0, np.uint8)

    def keep(self, array: np.ndarray) -> np.ndarray:
        """The array, or an equal one in a file.

        Raises:
            OutsideError: the disk is full.
        """
        self._held += array.nbytes
        if _folder is None or self._held < LARGE or array.nbytes > LARGE:
            return array
        size = -(-array.nbytes // 8) * 8
        if size > len(self._chunk):
            self._chunk = empty(LARGE, np.uint8)
        place, self._chunk = self._chunk[: array.nbytes], self._chunk[size:]
        kept = place.view(array.dtype).reshape(array.shape)
        kept[...] = array
        return kept


def blocks(rows: int) -> Iterator[slice]:
    """Slices of `BLOCK` rows that cover so many."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))


def writable(place: Path) -> bool:
    """Whether files can be made in a folder, which is created if it does not exist."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(place, os.W_OK | os.X_OK)


def reserve(file: BinaryIO, size: int) -> None:
    """Take the space of a file on the disk now: writing to a map of a full disk would kill the process (SIGBUS).

    Raises:
        OSError: the disk is full.
    """
    fallocate = getattr(os, "posix_fallocate", None)
    if fallocate is not None:
        fallocate(file.fileno(), 0, size)
        return
    if shutil.disk_usage(Path(file.name).parent if isinstance(file.name, str) else Path.cwd()).free < size + _RESERVE:
        raise OSError(28, "No space left on device")
    file.truncate(size)


def file_of(array: np.ndarray) -> Path | None:
    """The named file that an array is a map of; None if it lies in memory or in a file without a name."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        name: object = getattr(owner, "filename", None)  # of numpy's maps; a file without a name has None
        if isinstance(name, Path) and owner.shape == array.shape:
            return name
        owner = owner.base
    return None
