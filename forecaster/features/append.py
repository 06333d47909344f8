"""Appends candles to paths that start at rows of the panel, and computes the features of each new candle.

The features equal those that the panel would have. The same groups compute them, on a block that holds the last few
candles of each path, with running means that resume from the EWMA state at the row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecaster.axes import Float, Float32, Int, Shaped
from forecaster.data.calendars import following_sessions
from forecaster.data.coherence import CLOSE
from forecaster.data.panel import Panel
from forecaster.features import GROUPS
from forecaster.features.blocks import ages, by_block, requirements_of
from forecaster.features.candles import SCALE, SCALE_FLOOR, Candles, Market
from forecaster.features.compute import columns, matrix
from forecaster.features.state import EwmaState, ResumedCandles


def _no_market() -> Market:
    raise AssertionError("a group that reads the market is not marked with candles_alone")


@dataclass(frozen=True, eq=False)
class PathSource:
    """What the rows of a panel keep so that candle paths can start from them.

    Args:
        groups: feature groups, each of which reads nothing but the ticker's own candles and the calendar.
        ewma_state: the running means that the groups need, one entry a row.
        depth: candles that the groups need, the newest included.
    """

    panel: Panel
    groups: tuple[str, ...]
    ewma_state: EwmaState
    depth: int

    @classmethod
    def of(cls, panel: Panel, groups: tuple[str, ...], ewma_state: EwmaState | None = None) -> PathSource:
        """Compute the running means that the groups need.

        Args:
            ewma_state: state before the panel's first rows, where they continue longer histories.
        """
        required = requirements_of(panel, [GROUPS[name] for name in groups])

        def means(candles: Candles) -> Float[np.ndarray, "time ticker mean"]:
            return np.concatenate([candles.mean(measure, (one,)) for measure, one in required.means], axis=-1)

        # At every row, because a path may start at any of them.
        rows = by_block(panel, means, ewma_state=ewma_state)
        columns = {mean: rows[:, place] for place, mean in enumerate(required.means)}
        return cls(panel, groups, EwmaState(ages(panel, ewma_state), columns), required.lags + 1)

    def start(self, rows: Int[np.ndarray, " path"]) -> CandlePaths:
        """One path per row, with no candle appended yet."""
        first = self.panel.offsets[self.panel.ticker_of_row[rows]]
        # [depth, path], oldest first; rows before the ticker's first are another ticker's and become NaN.
        past = rows - np.arange(self.depth)[::-1, None]
        inside = past >= first
        # Clipped at 0: a negative index would wrap around to the last ticker. `inside` masks these rows anyway.
        logs = np.where(inside[..., None], np.log(self.panel.prices[np.maximum(past, 0)]), np.nan)
        sessions = np.where(inside, self.panel.sessions[np.maximum(past, 0)], np.datetime64("NaT"))
        calendars = np.asarray(self.panel.calendars)[self.panel.ticker_of_row[rows]]
        return CandlePaths(self.groups, self.ewma_state.of(rows), logs, sessions, calendars)


@dataclass(frozen=True, eq=False)
class CandlePaths:
    """Candle paths, with the candles appended so far.

    Args:
        ewma_state: running means at the newest candle.
        logs: natural logs of open, high, low, close of the last `depth` candles; NaN before the ticker's first.
    """

    groups: tuple[str, ...]
    ewma_state: EwmaState
    logs: Float[np.ndarray, "depth path 4"]
    sessions: Shaped[np.ndarray, "depth path"]
    calendars: Shaped[np.ndarray, " path"]

    @property
    def scale(self) -> Float[np.ndarray, " path"]:
        """Daily volatility known at the newest close (see `Candles.scale`)."""
        return np.sqrt(np.maximum(self.ewma_state.means[SCALE], SCALE_FLOOR**2))

    @property
    def close(self) -> Float[np.ndarray, " path"]:
        """Log of the newest close."""
        return self.logs[-1, :, CLOSE]

    def repeated(self, copies: int) -> CandlePaths:
        """Every path `copies` times, the copies next to each other."""
        paths = np.repeat(np.arange(len(self.calendars)), copies)
        return replace(
            self,
            ewma_state=self.ewma_state.of(paths),
            logs=self.logs[:, paths],
            sessions=self.sessions[:, paths],
            calendars=self.calendars[paths],
        )

    def append(self, moves: Float[np.ndarray, "path 4"]) -> tuple[CandlePaths, Float32[np.ndarray, "path feature"]]:
        """The paths with one more candle, and its features.

        Args:
            moves: log(price / newest close) of the candle.
        """
        logs = np.concatenate([self.logs[1:], (self.close[:, None] + moves)[None]])
        sessions = np.concatenate([self.sessions[1:], self._next_sessions()[None]])
        # Forecast candles have no volume; no group marked with `candles_alone` reads it.
        volume = np.full(sessions.shape, np.nan)
        calendars = tuple(self.calendars.tolist())
        # The state is that of the newest candle so far, which is now the last row but one.
        block = ResumedCandles(
            logs, volume, sessions, calendars, _no_market, ewma_state=self.ewma_state, since=len(sessions) - 2
        )
        features = matrix(columns(block, self.groups))[-1]
        means = {(measure, one): block.mean(measure, (one,))[-1, :, 0] for measure, one in self.ewma_state.means}
        ewma_state = EwmaState(self.ewma_state.age + 1, means)
        return replace(self, ewma_state=ewma_state, logs=logs, sessions=sessions), features

    def _next_sessions(self) -> Shaped[np.ndarray, " path"]:
        following = np.empty_like(self.sessions[-1])
        for name in dict.fromkeys(self.calendars.tolist()):
            paths = self.calendars == name
            following[paths] = following_sessions(name, self.sessions[-1, paths])
        return following
