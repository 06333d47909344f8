"""Standard streams as they are found: closed, on a full disk, in a pipe whose reader has left, in an old encoding."""

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
    """Make standard output and standard error such that both can be written to.

    Where standard output is closed (`>&-`, a service, pythonw), writing fails as on a full disk and not before: a
    result that goes to a file needs none. Standard error stops nothing, whatever becomes of it.
    """
    for number in range(3):  # a file that is opened later would get a closed one's number, and what is printed with it
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):  # an old console shows letters for what it cannot draw
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)
    if isinstance(sys.stderr, io.TextIOWrapper):
        encoding = sys.stderr.encoding
        sys.stderr = _Forgiving(sys.stderr.detach(), encoding, ERRORS, line_buffering=True)


@contextlib.contextmanager
def standard_output(needed: bool = True) -> Iterator[None]:
    """Write there, to the end: what cannot be written is known when this is over.

    A reader that has left, as in `| head -1`, has seen enough, and the command goes on to its own end.

    Args:
        needed: whether it is a failure that nothing can be written.

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
    """Lose what is left to be written, and all that comes: it would fail once more as the program ends."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Forgiving(io.TextIOWrapper):
    """Loses what cannot be written."""

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
