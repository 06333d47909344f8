"""Candles that go on from a row of the panel, one at a time, and the features that the panel would have for them.

The groups compute them, as they compute all features: on a block that holds the last few candles of each lane, and
with running means that go on from the row's own instead of beginning anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from forecaster.axes import Float, Float32, Int, Shaped
from forecaster.data.calendars import following_sessions
from forecaster.data.panel import Panel
from forecaster.features.blocks import by_block
from forecaster.features.candles import SCALE_FLOOR, Candles, Market
from forecaster.features.compute import columns, matrix

Means = Float[np.ndarray, "lane _"]


@dataclass(frozen=True, eq=False)
class _Recorded(Candles):
    """Candles that write down which running means were asked for, in order, and how far back."""

    means: list[np.ndarray] = field(default_factory=list)
    half_lives: list[tuple[float, ...]] = field(default_factory=list)
    lags: list[int] = field(default_factory=lambda: [1])

    def mean(self, values: np.ndarray, half_lives: tuple[float, ...]) -> np.ndarray:
        found = super().mean(values, half_lives)
        self.means.append(found)
        self.half_lives.append(half_lives)
        return found

    def lag(self, values: np.ndarray, sessions: int) -> np.ndarray:
        self.lags.append(sessions)
        return super().lag(values, sessions)


@dataclass(frozen=True, eq=False)
class _Continued(Candles):
    """Candles whose last row alone counts: its running means go on from the recorded ones, in the same order."""

    former: tuple[Means, ...] = ()
    age: Int[np.ndarray, " lane"] = field(default_factory=lambda: np.zeros(0, int))
    means: list[Means] = field(default_factory=list)

    def mean(self, values: np.ndarray, half_lives: tuple[float, ...]) -> np.ndarray:
        decay = 0.5 ** (1.0 / np.asarray(half_lives))
        weight = 1 - decay ** self.age[:, None]
        total = decay * np.nan_to_num(self.former[len(self.means)]) * weight + (1 - decay) * values[-1, :, None]
        self.means.append(total / (decay * weight + 1 - decay))
        found = np.full((*values.shape, len(half_lives)), np.nan)
        found[-1] = self.means[-1]
        return found


def _no_market() -> Market:
    raise AssertionError("a group that reads the market is not marked with candles_alone")


@dataclass(frozen=True, eq=False)
class History:
    """What a panel's rows must remember so that candles can follow them.

    Args:
        groups: feature groups, each of which reads nothing but the ticker's own candles and the calendar.
        means: running means at each row, for each time that the groups ask for some; the first is the scale's.
        depth: candles that the groups look back.
    """

    panel: Panel
    groups: tuple[str, ...]
    means: tuple[Float[np.ndarray, "row _"], ...]
    depth: int

    @classmethod
    def of(cls, panel: Panel, groups: tuple[str, ...]) -> History:
        """Compute the groups once more, this time to learn what they remember."""
        asked: list[_Recorded] = []

        def record(candles: Candles) -> np.ndarray:
            recorded = _Recorded(candles.logs, candles.volume, candles.sessions, candles.calendars, candles.market)
            _ = recorded.scale  # asked for first, whatever the groups ask
            columns(recorded, groups)
            asked.append(recorded)
            return np.concatenate(recorded.means, axis=-1)

        joined = by_block(panel, record)
        ends = np.cumsum([len(half_lives) for half_lives in asked[0].half_lives])
        return cls(panel, groups, tuple(np.split(joined, ends[:-1], axis=1)), max(asked[0].lags) + 1)

    def start(self, rows: Int[np.ndarray, " lane"]) -> Growth:
        """A lane for each row, with nothing grown yet."""
        first = self.panel.offsets[self.panel.ticker_of_row[rows]]
        past = rows - np.arange(self.depth)[::-1, None]
        inside = past >= first
        logs = np.where(inside[..., None], np.log(self.panel.prices[np.maximum(past, 0)]), np.nan)
        sessions = np.where(inside, self.panel.sessions[np.maximum(past, 0)], np.datetime64("NaT"))
        calendars = np.asarray(self.panel.calendars)[self.panel.ticker_of_row[rows]]
        return Growth(self.groups, tuple(means[rows] for means in self.means), rows - first, logs, sessions, calendars)


@dataclass(frozen=True, eq=False)
class Growth:
    """Lanes of candles as far as they have grown.

    Args:
        age: sessions that the lane's ticker has behind it.
        logs: natural logs of open, high, low, close of the last candles; NaN before the ticker's first.
    """

    groups: tuple[str, ...]
    means: tuple[Means, ...]
    age: Int[np.ndarray, " lane"]
    logs: Float[np.ndarray, "depth lane 4"]
    sessions: Shaped[np.ndarray, "depth lane"]
    calendars: Shaped[np.ndarray, " lane"]

    @property
    def scale(self) -> Float[np.ndarray, " lane"]:
        """Daily volatility known at the newest close (see `Candles.scale`)."""
        return np.sqrt(np.maximum(self.means[0][:, 0], SCALE_FLOOR**2))

    @property
    def close(self) -> Float[np.ndarray, " lane"]:
        """Log of the newest close."""
        return self.logs[-1, :, 3]

    def repeated(self, copies: int) -> Growth:
        """Every lane so many times, side by side."""

        def repeat(axis: int) -> Callable[[np.ndarray], np.ndarray]:
            return lambda array: np.repeat(array, copies, axis=axis)

        return replace(
            self,
            means=tuple(map(repeat(0), self.means)),
            age=repeat(0)(self.age),
            logs=repeat(1)(self.logs),
            sessions=repeat(1)(self.sessions),
            calendars=repeat(0)(self.calendars),
        )

    def append(self, moves: Float[np.ndarray, "lane 4"]) -> tuple[Growth, Float32[np.ndarray, "lane feature"]]:
        """The lanes with one candle more, of log(price / newest close), and the features of that candle."""
        logs = np.concatenate([self.logs[1:], (self.close[:, None] + moves)[None]])
        sessions = np.concatenate([self.sessions[1:], self._next()[None]])
        volume = np.full(sessions.shape, np.nan)
        block = _Continued(logs, volume, sessions, tuple(self.calendars), _no_market, self.means, self.age)
        _ = block.scale
        features = matrix(columns(block, self.groups))[-1]
        return replace(self, means=tuple(block.means), age=self.age + 1, logs=logs, sessions=sessions), features

    def _next(self) -> Shaped[np.ndarray, " lane"]:
        following = np.empty_like(self.sessions[-1])
        for name in dict.fromkeys(self.calendars.tolist()):
            lanes = self.calendars == name
            following[lanes] = following_sessions(name, self.sessions[-1, lanes])
        return following
