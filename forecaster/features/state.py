"""What the candles before a block left behind, so that running means go on instead of beginning anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.axes import Float, Int
from forecaster.features.candles import Candles, Measure
from forecaster.features.ewma import decayed_sum

RunningMean = tuple[Measure, float]
"""What is averaged, and over which half-life."""


@dataclass(frozen=True)
class Asked:
    """What some feature groups remember of a ticker's past.

    Args:
        means: running means, the scale's own first.
        lags: candles that they look back by `Candles.lag`.
    """

    means: tuple[RunningMean, ...]
    lags: int


@dataclass(frozen=True, eq=False)
class Former:
    """Running means as they stood at one row of each lane (a ticker of a panel, or a path).

    Args:
        age: sessions of the lane before that row.
        means: at that row; NaN where it is the ticker's first.
    """

    age: Int[np.ndarray, " lane"]
    means: Mapping[RunningMean, Float[np.ndarray, " lane"]]

    def of(self, lanes: Int[np.ndarray, " chosen"]) -> Former:
        """Some of the lanes."""
        return Former(self.age[lanes], {key: values[lanes] for key, values in self.means.items()})

    @classmethod
    def joined(cls, parts: Sequence[Former]) -> Former:
        """The lanes of several, one after the other."""
        means = {key: np.concatenate([part.means[key] for part in parts]) for key in parts[0].means}
        return cls(np.concatenate([part.age for part in parts]), means)


@dataclass(frozen=True, eq=False)
class Continued(Candles):
    """Candles whose running means go on from those of row `since`; before it they are NaN."""

    former: Former = field(kw_only=True)
    since: int = field(default=0, kw_only=True)

    def mean(self, measure: Measure, half_lives: tuple[float, ...]) -> Float[np.ndarray, "time ticker scale"]:
        values = np.nan_to_num(measure(self)[self.since + 1 :])
        found = np.full((*self.volume.shape, len(half_lives)), np.nan)
        for scale, half_life in enumerate(half_lives):
            decay, mean = 0.5 ** (1.0 / half_life), self.former.means[measure, half_life]
            weights = 1 - decay ** (self.former.age + np.arange(1, len(values) + 1)[:, None])
            added = (1 - decay) * values
            added[:1] += decay * np.nan_to_num(mean) * (1 - decay**self.former.age)
            found[self.since, :, scale] = mean
            found[self.since + 1 :, :, scale] = decayed_sum(added, decay) / weights
        return found


@dataclass(frozen=True, eq=False)
class _Recorded(Candles):
    """Candles that write down which running means were asked for, and how far back."""

    means: dict[RunningMean, None] = field(default_factory=dict, kw_only=True)
    lags: list[int] = field(default_factory=lambda: [1], kw_only=True)

    def mean(self, measure: Measure, half_lives: tuple[float, ...]) -> np.ndarray:
        self.means.update(dict.fromkeys((measure, half_life) for half_life in half_lives))
        return super().mean(measure, half_lives)

    def lag(self, values: np.ndarray, sessions: int) -> np.ndarray:
        self.lags.append(sessions)
        return super().lag(values, sessions)


def asked(candles: Candles, functions: Iterable[Callable[[Candles], object]]) -> Asked:
    """What feature groups and the like ask of a block, of which a single candle is enough."""
    recorded = _Recorded(candles.logs, candles.volume, candles.sessions, candles.calendars, candles.market)
    _ = recorded.scale
    for function in functions:
        function(recorded)
    return Asked(tuple(recorded.means), max(recorded.lags))


def former_at(candles: Candles, rows: Int[np.ndarray, " ticker"], means: Sequence[RunningMean]) -> Former:
    """The running means of a block at one row of each ticker: one product each, instead of all rows' means."""
    measured = {measure: np.nan_to_num(measure(candles)) for measure, _ in means}
    found = {}
    for measure, half_life in means:
        decay = 0.5 ** (1.0 / half_life)
        weights = (1 - decay) * decay ** np.arange(rows.max())
        values = measured[measure][1:].T
        found[measure, half_life] = np.array(
            [
                weights[:row] @ values[place, :row][::-1] / (1 - decay**row) if row else np.nan
                for place, row in enumerate(rows.tolist())
            ]
        )
    return Former(rows, found)
