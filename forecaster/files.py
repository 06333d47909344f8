"""Files: written beside their place and renamed, so that a reader never sees a part; and what ships with us."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from forecaster.errors import InputError, OutsideError


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to; on success it takes the target's place, on failure it vanishes.

    Raises:
        OutsideError: the folder cannot be made or written, or the disk is full.
    """
    with outside_errors(target):
        if target.exists() and not (target.is_file() or target.is_dir()):
            yield target  # /dev/stdout or a pipe: there is nothing to rename onto
            return
        target = target.resolve()  # a link stays a link
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            _sync(part)
            part.chmod(0o666 & ~_umask())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write a whole text file in UTF-8, or nothing."""
    with replacing(target) as part:
        part.write_text(encodable(text), encoding="utf-8")


def encodable(text: str) -> str:
    r"""Text that UTF-8 can hold: bytes of a file name that are no text in this locale become `\udce9`, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def check_place(target: Path) -> None:
    """Refuse what could not be written, before the work is done whose result it is to hold; nothing is left there.

    Raises:
        InputError: it is a folder.
        OutsideError: the folder that it lies in, or would be made in, cannot be written.
    """
    with outside_errors(target):
        if target.is_dir():
            raise InputError(f"{target} is a folder: name a file in it.")
        if target.exists() and not target.is_file():
            return  # /dev/stdout or a pipe
        folder = target.resolve().parent
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextlib.contextmanager
def outside_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system refuses at `place` into one honest line."""
    try:
        yield
    except OSError as error:
        remedy = "free some space" if error.errno == errno.ENOSPC else "check the folder and its permissions"
        reason = error.strerror or str(error)
        raise OutsideError(f"{place} cannot be written: {reason}; {remedy}, or name another folder.") from error


def cache_folder() -> Path | None:
    """Where this program may keep what it can compute again; None where the system names no such place.

    A container under a user id without a passwd entry has no home; an empty or relative `HOME` is none either. Older
    versions of platformdirs answer with a relative path there, newer ones with an error.
    """
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("forecaster"))
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


@contextlib.contextmanager
def home_for_imports() -> Iterator[None]:
    """Lend a user without a home one that cannot exist: some libraries ask for it as they are imported.

    yfinance fails without one.
    """
    if cache_folder() is not None:
        yield
        return
    before = os.environ.get("HOME")
    os.environ["HOME"] = os.devnull
    try:
        yield
    finally:
        del os.environ["HOME"]
        if before is not None:
            os.environ["HOME"] = before


def shipped(kind: str) -> Path:
    """The folder of what ships with the package: `configs` or `sample`.

    In an installed wheel it lies inside the package, in a checkout at the top of the repository.
    """
    package = Path(__file__).parent
    inside = package / "_shipped" / kind
    if inside.is_dir():
        return inside
    return package.parent / {"configs": "configs", "sample": "data/sample"}[kind]


def existing_file(path: Path, what: str) -> Path:
    """`path` itself when it is a readable file.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{what} {path} is not a file: check the name.")
    return path


def _sync(part: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
