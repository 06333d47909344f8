"""Robust standard streams: closed, on a full disk, in a pipe whose reader exited, or in an old encoding."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from forecaster.errors import OutsideError
from forecaster.show.plain import ERRORS


def prepare() -> None:
    """Replace closed standard streams, so that the program can start.

    With standard output closed (`>&-`, a service, pythonw) only writing fails, as on a full disk: a result in a file
    does not need it. Errors of standard error are ignored.
    """
    for number in range(3):  # else a file opened later would get descriptor 1 and the printed output
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):  # ASCII where the encoding lacks a character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding = sys.stderr.encoding
        sys.stderr = _Forgiving(sys.stderr.detach(), encoding, ERRORS, line_buffering=True)


@contextlib.contextmanager
def standard_output(needed: bool = True) -> Iterator[None]:
    """Flush standard output at the end, so that write errors appear here.

    A closed pipe, as in `| head -1`, is no error: the command finishes its work.

    Args:
        needed: whether a failed write is an error.

    Raises:
        OutsideError: it is closed, or its disk is full.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        mute(sys.stdout)
    except OSError as error:
        mute(sys.stdout)
        if needed:
            reason = "it is closed" if error.errno == errno.EBADF else error.strerror or str(error)
            remedy = "check where it goes, or name a file with --output"
            raise OutsideError(f"standard output cannot be written: {reason}; {remedy}.") from error


def mute(stream: Any) -> None:
    """Discard buffered and further output: it would fail again at exit."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Forgiving(io.TextIOWrapper):
    """Discards what cannot be written."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            mute(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            mute(self)
