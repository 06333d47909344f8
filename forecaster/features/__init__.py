"""What the network reads of each candle: groups of features, all of them known at the close of their day.

A group is a function from `Candles` to named columns; it registers under the name that the YAML uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from forecaster.features.candles import Candles
from forecaster.registry import Registry

Group = Callable[[Candles], Mapping[str, np.ndarray]]

GROUPS: Registry[Group] = Registry("feature group", f"{__name__}.groups", __name__)

_GROWING: set[Group] = set()


class Lookback(NamedTuple):
    """What a group reads before a day: back to the session so many days ago, and so many sessions before that one."""

    sessions: int
    days: int = 0


_LOOKBACKS: dict[Group, Lookback] = {}


def candles_alone(group: Group) -> Group:
    """Mark a group that reads the ticker's own candles and the calendar, so that forecast candles can be fed to it.

    What it remembers of the past it asks of `Candles.mean`, of a measure that looks back one session at most, and of
    `Candles.lag`, of the candles' own prices alone: where candles follow, what was made of earlier ones is not there.
    """
    _GROWING.add(group)
    return group


def growing_groups() -> tuple[str, ...]:
    """Names of the groups that `candles_alone` marks."""
    return tuple(name for name in GROUPS.names() if GROUPS[name] in _GROWING)


def looks_back(sessions: int, days: int = 0) -> Callable[[Group], Group]:
    """Mark what a group reads before a day, besides what it asks of `Candles.mean`: see `Lookback`.

    Without a mark, nor `candles_alone`, a group is given whole histories.
    """

    def mark(group: Group) -> Group:
        _LOOKBACKS[group] = Lookback(sessions, days)
        return group

    return mark


def lookback(name: str) -> Lookback | None:
    """How far a group looks back; None where it did not say. `Candles.lag` says it for `candles_alone`."""
    group = GROUPS[name]
    return Lookback(0) if group in _GROWING else _LOOKBACKS.get(group)
