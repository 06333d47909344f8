"""Candles that go on from a row of the panel, one at a time, and the features that the panel would have for them.

The groups compute them, as they compute all features: on a block that holds the last few candles of each lane, and
with running means that go on from the row's own instead of beginning anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecaster.axes import Float, Float32, Int, Shaped
from forecaster.data.calendars import following_sessions
from forecaster.data.panel import Panel
from forecaster.features import GROUPS
from forecaster.features.blocks import ages, asked_of, by_block
from forecaster.features.candles import SCALE, SCALE_FLOOR, Candles, Market
from forecaster.features.compute import columns, matrix
from forecaster.features.state import Continued, Former


def _no_market() -> Market:
    raise AssertionError("a group that reads the market is not marked with candles_alone")


@dataclass(frozen=True, eq=False)
class History:
    """What a panel's rows must remember so that candles can follow them.

    Args:
        groups: feature groups, each of which reads nothing but the ticker's own candles and the calendar.
        former: the running means that the groups ask for, each row a lane.
        depth: candles that the groups look back.
    """

    panel: Panel
    groups: tuple[str, ...]
    former: Former
    depth: int

    @classmethod
    def of(cls, panel: Panel, groups: tuple[str, ...], former: Former | None = None) -> History:
        """Compute what the groups remember.

        Args:
            former: what came before the panel's own rows.
        """
        remembered = asked_of(panel, [GROUPS[name] for name in groups])

        def means(candles: Candles) -> Float[np.ndarray, "time ticker mean"]:
            return np.concatenate([candles.mean(measure, (one,)) for measure, one in remembered.means], axis=-1)

        rows = by_block(panel, means, former=former)
        columns = {mean: rows[:, place] for place, mean in enumerate(remembered.means)}
        return cls(panel, groups, Former(ages(panel, former), columns), remembered.lags + 1)

    def start(self, rows: Int[np.ndarray, " lane"]) -> Growth:
        """A lane for each row, with nothing grown yet."""
        first = self.panel.offsets[self.panel.ticker_of_row[rows]]
        past = rows - np.arange(self.depth)[::-1, None]
        inside = past >= first
        logs = np.where(inside[..., None], np.log(self.panel.prices[np.maximum(past, 0)]), np.nan)
        sessions = np.where(inside, self.panel.sessions[np.maximum(past, 0)], np.datetime64("NaT"))
        calendars = np.asarray(self.panel.calendars)[self.panel.ticker_of_row[rows]]
        return Growth(self.groups, self.former.of(rows), logs, sessions, calendars)


@dataclass(frozen=True, eq=False)
class Growth:
    """Lanes of candles as far as they have grown.

    Args:
        former: as of the newest candle.
        logs: natural logs of open, high, low, close of the last candles; NaN before the ticker's first.
    """

    groups: tuple[str, ...]
    former: Former
    logs: Float[np.ndarray, "depth lane 4"]
    sessions: Shaped[np.ndarray, "depth lane"]
    calendars: Shaped[np.ndarray, " lane"]

    @property
    def scale(self) -> Float[np.ndarray, " lane"]:
        """Daily volatility known at the newest close (see `Candles.scale`)."""
        return np.sqrt(np.maximum(self.former.means[SCALE], SCALE_FLOOR**2))

    @property
    def close(self) -> Float[np.ndarray, " lane"]:
        """Log of the newest close."""
        return self.logs[-1, :, 3]

    def repeated(self, copies: int) -> Growth:
        """Every lane so many times, side by side."""

        lanes = np.repeat(np.arange(len(self.calendars)), copies)
        return replace(
            self,
            former=self.former.of(lanes),
            logs=self.logs[:, lanes],
            sessions=self.sessions[:, lanes],
            calendars=self.calendars[lanes],
        )

    def append(self, moves: Float[np.ndarray, "lane 4"]) -> tuple[Growth, Float32[np.ndarray, "lane feature"]]:
        """The lanes with one candle more, of log(price / newest close), and the features of that candle."""
        logs = np.concatenate([self.logs[1:], (self.close[:, None] + moves)[None]])
        sessions = np.concatenate([self.sessions[1:], self._next()[None]])
        volume = np.full(sessions.shape, np.nan)
        calendars = tuple(self.calendars.tolist())
        block = Continued(logs, volume, sessions, calendars, _no_market, former=self.former, since=len(sessions) - 2)
        features = matrix(columns(block, self.groups))[-1]
        means = {(measure, one): block.mean(measure, (one,))[-1, :, 0] for measure, one in self.former.means}
        former = Former(self.former.age + 1, means)
        return replace(self, former=former, logs=logs, sessions=sessions), features

    def _next(self) -> Shaped[np.ndarray, " lane"]:
        following = np.empty_like(self.sessions[-1])
        for name in dict.fromkeys(self.calendars.tolist()):
            lanes = self.calendars == name
            following[lanes] = following_sessions(name, self.sessions[-1, lanes])
        return following
