"""Atomic file writes (temporary file, fsync, rename), and reads within a size."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from forecaster.errors import InputError, OutsideError

LARGEST, LARGEST_TEXT = 1 << 30, 1 << 26
"""Bytes of a file, and of a text file, that is read as a whole."""

_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "free some memory",
    errno.EIO: "check the disk",
    errno.ELOOP: "remove the link",
}

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL, errno.EFBIG)
"""Numbers of errors by which there is no such regular file; the last two are those of `read_bytes`."""


@contextlib.contextmanager
def atomic_write(target: Path, *, named: bool = False) -> Iterator[Path]:
    """Atomic write: yield a temporary path beside `target`, renamed to it on success and deleted on failure.

    Args:
        named: the user named the file: a link to it stays, and a pipe or /dev/stdout is written to. Any other link is
            replaced, never followed: in a folder from a stranger it may point anywhere.

    Raises:
        OutsideError: the folder cannot be created or written, or the disk is full.
    """
    with outside_errors(target):
        if _is_special(target, named):
            if not named:
                raise OSError(errno.EINVAL, "it is a pipe or a device", str(target))
            yield target  # /dev/stdout or a pipe: cannot be replaced by a rename
            return
        target = _resolved(target) if named else target
        target.parent.mkdir(parents=True, exist_ok=True)
        if named:
            sweep(target.parent, glob.escape(target.name))
        handle, part = _make_part(target)
        try:
            yield part
            # Before the rename: after a power failure the new name must not point to an empty file.
            _sync(part)
            # mkstemp creates files that only their owner can read.
            part.chmod(0o666 & ~_umask())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
            if handle is not None:
                os.close(handle)


def write_text(target: Path, text: str, *, named: bool = False) -> None:
    """Write a UTF-8 text file atomically; `named` as in `atomic_write`."""
    with atomic_write(target, named=named) as part:
        part.write_text(escape_unencodable(text), encoding="utf-8")


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what killed writers of files with such a name (a pattern) have left in a folder."""
    for part in folder.glob(f".{name}.*.part"):
        with contextlib.suppress(OSError):
            handle = os.open(part, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            try:
                if _lock(handle):
                    part.unlink()
            finally:
                os.close(handle)


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: it cannot be read, is larger than `most`, or is a pipe or a device, which could block for ever.
    """
    # Without O_NONBLOCK, opening a pipe waits for its writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:  # before os.fdopen, which refuses a folder and leaves its handle open
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"it has {state.st_size:,} bytes, expected at most {most:,}", str(path))
        # Not read(most): its buffer would have that many bytes from the start, which `ulimit -v` refuses. A file
        # without a size, such as those of /proc, is a small one.
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(max(state.st_size, 1 << 16))
    finally:
        os.close(handle)


def read_text(path: Path, most: int = LARGEST_TEXT) -> str:
    """The content of a UTF-8 text file.

    Raises:
        OSError: as in `read_bytes`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_bytes(path, most).decode("utf-8-sig").replace("\r\n", "\n")


def escape_unencodable(text: str) -> str:
    r"""Escape what UTF-8 cannot encode: an undecodable byte of a file name becomes `\udce9`, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def check_place(target: Path) -> None:
    """Check that `target` can be written, before the work whose result it will hold; creates nothing.

    Raises:
        InputError: it is a folder.
        OutsideError: its folder, or the folder it would be created in, is not writable.
    """
    with outside_errors(target):
        if target.is_dir():
            raise InputError(f"{target} is a folder: name a file in it.")
        if target.exists() and not target.is_file():
            return  # /dev/stdout or a pipe
        folder = _resolved(target).parent
        while not folder.exists():
            folder = folder.parent
        # A real file, because permission bits do not show a read-only file system.
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def outside_errors(place: Path) -> Iterator[None]:
    """Turn an `OSError` while writing `place` into a one-line `OutsideError`."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the folder and its permissions")
        reason = error.strerror or str(error)
        raise OutsideError(f"{place} cannot be written: {reason}; {remedy}, or name another folder.") from error


@contextlib.contextmanager
def unreadable_errors(place: Path) -> Iterator[None]:
    """Turn a system's refusal to read `place` (EACCES, EIO, EMFILE, ENOMEM …) into a one-line `OutsideError`.

    That is no sign of damage: what is there may be whole, and must not be replaced.
    """
    try:
        yield
    except (OSError, MemoryError) as error:
        number = getattr(error, "errno", None) or errno.ENOMEM
        reason = getattr(error, "strerror", None) or os.strerror(number)
        remedy = _REMEDIES.get(number, "check the file and its permissions")
        raise OutsideError(f"{place} cannot be read: {reason}; {remedy}. Nothing was changed.") from error


def is_refusal(error: Exception) -> bool:
    """Whether the system refused to read a file, which may be whole: pyarrow's own errors have no number."""
    if isinstance(error, OSError) and error.errno is None and "memory" in str(error).lower():
        error.errno = errno.ENOMEM  # zstd's words for it
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno is not None)


def is_absent(error: Exception) -> bool:
    """Whether there is no file that could be whole: none, a folder, a pipe, or one that is too large."""
    return isinstance(error, OSError) and error.errno in _ABSENT


def existing_file(path: Path, what: str) -> Path:
    """Return `path` if it is a file.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{what} {path} is not a file: check the name.")
    return path


def _resolved(target: Path) -> Path:
    """The path that links lead to.

    Raises:
        OSError: they lead round in a circle, for which Python 3.11 and 3.12 raise a RuntimeError.
    """
    try:
        return target.resolve()
    except RuntimeError as error:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(target)) from error


def is_file(path: Path) -> bool:
    """Whether there is such a file; a user's word may be longer than a name can be."""
    return _can_be(path) and path.is_file()


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; as `is_file`."""
    return _can_be(path) and path.is_dir()


def _can_be(path: Path) -> bool:
    try:
        path.stat()
    except ValueError:  # a NUL
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def _sync(part: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _make_part(target: Path) -> tuple[int | None, Path]:
    """A temporary file in the target's own folder, since a rename is atomic only within one file system.

    It is locked until its handle is closed, so that `sweep` knows those of killed processes; Windows has no such lock.
    """
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        if not _lock(handle):
            os.close(handle)
            return None, Path(name)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # swept by another process before it was locked


def _lock(handle: int) -> bool:
    """Lock an open file, if no other process has, and the system can."""
    if os.name != "posix":
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _is_special(target: Path, follow: bool) -> bool:
    """Whether it is a pipe, a device or a socket."""
    try:
        mode = target.stat(follow_symlinks=follow).st_mode
    except FileNotFoundError:
        return False
    return not any(kind(mode) for kind in (stat.S_ISREG, stat.S_ISDIR, stat.S_ISLNK))
