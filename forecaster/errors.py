"""Every error that a user can meet, as one tree.

    ForecasterError            1  a fault of ours
    ├── InputError             2  bad usage, bad input: the user can mend it
    │   ├── ConfigError        2  a YAML file or a --set that cannot be used
    │   ├── UnknownNameError   2  a name that no registry, store or folder has
    │   ├── DataError          2  candles that cannot be used
    │   └── NewerFileError     2  a file that a newer version of this program wrote
    ├── PartialError           3  part of the work was done, or a check found something
    └── OutsideError           4  network, rate limit, folder not writable, disk full

The number is the exit code of the command. The message is one line: name, value, what was expected, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class ForecasterError(Exception):
    """The root: whatever reaches the command line as this is shown as one line."""

    exit_code = 1


class InputError(ForecasterError):
    """What the user gave cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration that cannot be used; `problems` holds one line for each thing found."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        more = len(self.problems) - 1
        tail = f" ({more} more: see `forecast config check`)" if more else ""
        super().__init__(self.problems[0] + tail)


class UnknownNameError(InputError):
    """A name that is not among the known ones; the message names the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        self.name = name
        super().__init__(f"Unknown {kind} {name!r}. {did_you_mean(name, known)}{remedy}".rstrip())


class DataError(InputError):
    """Candles that cannot be used."""


class NewerFileError(InputError):
    """A file that is whole, but of a newer version of this program; the message says so and what to do."""


class PartialError(ForecasterError):
    """Part of the work was done, or a check found something: the output says what."""

    exit_code = 3


class OutsideError(ForecasterError):
    """Nothing could be done for a reason outside this program; what was there is untouched."""

    exit_code = 4


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that leads from a wrong name to the right one: the nearest, else some of what there is."""
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {folded[near[0]]!r}? "
    return f"There is {at_most_five(names)}. " if names else ""


def at_most_five(items: Iterable[object]) -> str:
    """`a, b, c, d, e and 7 more`."""
    texts = [str(item) for item in items]
    shown = ", ".join(texts[:5])
    return shown if len(texts) <= 5 else f"{shown} and {len(texts) - 5} more"
