"""Lists the feature groups that a config's `features` can name, and `covariates`, from their docstrings."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from itertools import product

UNITS = {
    "volatility": "the ticker's daily volatility known at the close: the root of the EWMA (half-life 11 sessions) "
    "of squared gap plus Garman–Klass",
    "log ratio": "log of one size over another: 0 is as usual, 0.1 is about 10 % more",
    "log / 0.5": "natural log divided by 0.5",
    "log percent": "100 · natural log, about percent",
    "event size": "a log ratio of volatility and volume together",
    "0 or 1": "whether it is so",
    "0 to 1": "1 on the day of an event, falling to 0 after it",
}
"""What the units of the groups that ship mean."""

_COLUMN = re.compile(r"^    (\S+) \[([^;\]]+); ([^\]]+)\]: ((?:.+)(?:\n {6,}.+)*)", re.MULTILINE)
_CHOICE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Column:
    """One line of a group's documentation: a column, or several alike.

    Args:
        label: as written, such as `return_{5|22}`.
        names: of its columns.
        lag: how far back it reads: sessions, quarters, or the half-life of an EWMA in sessions.
    """

    label: str
    names: tuple[str, ...]
    unit: str
    lag: str
    meaning: str


@dataclass(frozen=True)
class FeatureGroup:
    """A feature group.

    Args:
        text: its first sentence; `details` is the rest.
        columns: none where a plugin's docstring has no section `Columns:`.
        recursive: whether the decoder `recursive` can compute it from forecast candles.
    """

    name: str
    text: str
    details: str
    columns: tuple[Column, ...]
    recursive: bool

    @property
    def count(self) -> int:
        """Number of columns: inputs that the group gives to the network."""
        return sum(len(column.names) for column in self.columns)


def features() -> list[FeatureGroup]:
    """All feature groups, with their columns, and last what each ticker in `covariates` gives."""
    from forecaster.features import GROUPS, covariates, growing_groups

    recursive = growing_groups()
    groups = [_group(name, inspect.getdoc(GROUPS[name]) or "", name in recursive) for name in GROUPS.names()]
    return [*groups, _group(covariates.NAME, inspect.getdoc(covariates.covariates) or "", False)]


def _group(name: str, docstring: str, recursive: bool) -> FeatureGroup:
    about, _, section = docstring.partition("Columns:\n")
    text, _, details = about.partition("\n\n")
    columns = tuple(
        Column(label, expanded(label), unit, lag, " ".join(meaning.split()))
        for label, unit, lag, meaning in _COLUMN.findall(section)
    )
    return FeatureGroup(name, " ".join(text.split()), " ".join(details.split()), columns, recursive)


def expanded(label: str) -> tuple[str, ...]:
    """`return_{5|22}` → `return_5`, `return_22`; `third_{0..8}` → `third_0` to `third_8`; signs are kept."""
    parts = _CHOICE.split(label)  # text and choices in turn
    choices = [_choices(part) if place % 2 else [part] for place, part in enumerate(parts)]
    return tuple("".join(chosen) for chosen in product(*choices))


def _choices(text: str) -> list[str]:
    first, dots, last = text.partition("..")
    if not dots:
        return text.split("|")
    sign = "+" if "+" in text else ""
    return [format(number, f"{sign}d") for number in range(int(first), int(last) + 1)]
