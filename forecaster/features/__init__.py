"""What the network reads of each candle: groups of features, all of them known at the close of their day.

A group is a function from `Candles` to named columns; it registers under the name that the YAML uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from forecaster.features.candles import Candles
from forecaster.registry import Registry

Group = Callable[[Candles], Mapping[str, np.ndarray]]

GROUPS: Registry[Group] = Registry("feature group", __name__)

_GROWING: set[Group] = set()
_REACH: dict[Group, int] = {}


def candles_alone(group: Group) -> Group:
    """Mark a group that reads the ticker's own candles and the calendar, so that forecast candles can be fed to it.

    What it remembers of the past it asks of `Candles.mean` and `Candles.lag`.
    """
    _GROWING.add(group)
    return group


def growing_groups() -> tuple[str, ...]:
    """Names of the groups that `candles_alone` marks."""
    return tuple(name for name in GROUPS.names() if GROUPS[name] in _GROWING)


def looks_back(sessions: int) -> Callable[[Group], Group]:
    """Mark how many sessions before a day a group reads, besides what it asks of `Candles.mean`.

    Without a mark, nor `candles_alone`, a group is given whole histories.
    """

    def mark(group: Group) -> Group:
        _REACH[group] = sessions
        return group

    return mark


def reach(name: str) -> int | None:
    """Sessions that a group looks back; None where it did not say. `Candles.lag` says it for `candles_alone`."""
    group = GROUPS[name]
    return 0 if group in _GROWING else _REACH.get(group)
