"""Errors that name command-line options, for callers from Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from forecaster.errors import InputError


@contextmanager
def argument_names() -> Iterator[None]:
    """Rewrites errors that name a command-line option to name the Python argument."""
    try:
        yield
    except InputError as error:
        error.args = (_python(str(error)),)
        raise


def _python(message: str) -> str:
    """`--column close=NAME` → `columns={"close": "NAME"}`, and the like."""
    message = re.sub(r"--column (\w+)=('[^']*'|\w*)", _column, message)
    message = re.sub(r"--(date-format|resample|calendar) ([\w%/.:-]*\w)", _argument, message)
    message = re.sub(r"--(currency|calendar|date-format)", lambda match: match[1].replace("-", "_"), message)
    return message.replace("--force", "force=True")


def _column(match: re.Match[str]) -> str:
    return f'columns={{"{match[1]}": "{match[2].strip(chr(39))}"}}'


def _argument(match: re.Match[str]) -> str:
    return f'{match[1].replace("-", "_")}="{match[2]}"'
