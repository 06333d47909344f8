"""Feature groups: the network's inputs at each candle, all known at the close of its day.

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
    """How far back a group reads: to the session `days` calendar days ago, and `sessions` sessions before that one."""

    sessions: int
    days: int = 0


_LOOKBACKS: dict[Group, Lookback] = {}


def candles_alone(group: Group) -> Group:
    """Mark a group that reads only the ticker's own candles and the calendar, so that it works on forecast candles.

    The group may look back in two ways only: `Candles.mean`, of a measure that itself looks back at most one session,
    and `Candles.lag`, of the candles' own prices. Forecast candles are appended to a short block that holds nothing
    else of the past.
    """
    _GROWING.add(group)
    return group


def growing_groups() -> tuple[str, ...]:
    """Names of the groups that `candles_alone` marks."""
    return tuple(name for name in GROUPS.names() if GROUPS[name] in _GROWING)


def looks_back(sessions: int, days: int = 0) -> Callable[[Group], Group]:
    """Declare how far back a group reads, `Candles.mean` apart: see `Lookback`.

    A group with neither this nor `candles_alone` is always computed on whole histories.
    """

    def mark(group: Group) -> Group:
        _LOOKBACKS[group] = Lookback(sessions, days)
        return group

    return mark


def lookback(name: str) -> Lookback | None:
    """How far a group looks back; None if not declared. `candles_alone` groups declare it by calling `Candles.lag`."""
    group = GROUPS[name]
    return Lookback(0) if group in _GROWING else _LOOKBACKS.get(group)
