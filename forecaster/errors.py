"""All exceptions that a user can see, as one tree.

    ForecasterError            1  a bug in this program
    ├── InputError             2  bad usage, bad input: the user can fix it
    │   ├── ConfigError        2  an invalid YAML file or --set
    │   ├── UnknownNameError   2  a name not found in a registry, store or folder
    │   ├── DataError          2  unusable candles
    │   ├── DivergedError      2  a training whose loss became infinite
    │   └── NewerFileError     2  a file written by a newer version of this program
    ├── PartialError           3  partial success, or a check found a problem
    └── OutsideError           4  network, rate limit, folder not writable, disk full
        └── LostRankError      4  another process of a training under torchrun ended

The number is the command's exit code. The message is one line: name, value, what was expected, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from forecaster.printable import MOST, quoted


class ForecasterError(Exception):
    """Base class; the command line prints it as one line, without a traceback."""

    exit_code = 1


class InputError(ForecasterError):
    """Invalid input from the user."""

    exit_code = 2


class ConfigError(InputError):
    """Invalid configuration; `problems` has one line per problem."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        more = len(self.problems) - 1
        tail = f" ({more} more: see `forecast config check`)" if more else ""
        super().__init__(self.problems[0] + tail)


class UnknownNameError(InputError):
    """Unknown name; the message suggests the closest known one."""

    def __init__(self, kind: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        self.name = name
        super().__init__(f"Unknown {kind} {quoted(name)}. {did_you_mean(name[:MOST], known)}{remedy}".rstrip())


class DataError(InputError):
    """Unusable candles."""


class DivergedError(InputError):
    """The loss of a training became infinite or NaN."""


class NewerFileError(InputError):
    """An intact file written by a newer version of this program."""


class PartialError(ForecasterError):
    """Partial success, or a check found a problem; the output has the details."""

    exit_code = 3


class OutsideError(ForecasterError):
    """Failed for an external reason (network, disk, permissions); existing files are unchanged."""

    exit_code = 4


class LostRankError(OutsideError):
    """Another process of this training ended."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'gru'? ` for a close match, otherwise a list of up to five known names."""
    names = sorted(known)
    if near := close_match(name, names):
        return f"Did you mean {near!r}? "
    return f"There is {at_most_five(names)}. " if names else ""


def close_match(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one; None if none is much like it."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def at_most_five(items: Iterable[object]) -> str:
    """`a, b, c, d, e and 7 more`."""
    texts = [str(item) for item in items]
    shown = ", ".join(texts[:5])
    return shown if len(texts) <= 5 else f"{shown} and {len(texts) - 5} more"
