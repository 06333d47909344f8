"""EWMA state at one row, so that features of a history's tail equal those of the whole history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from forecaster.axes import Float, Int
from forecaster.features.candles import Candles, Measure
from forecaster.features.ewma import decayed_sum

RunningMean = tuple[Measure, float]
"""The measure averaged, and the half-life in sessions."""


@dataclass(frozen=True)
class Requirements:
    """What feature groups need of a ticker's past.

    Args:
        means: running means, that of `Candles.scale` first.
        lags: most sessions that they look back with `Candles.lag`.
    """

    means: tuple[RunningMean, ...]
    lags: int


@dataclass(frozen=True, eq=False)
class EwmaState:
    """Running means at one row of each path (a ticker of a panel, or a candle path).

    Args:
        age: sessions of the path before that row.
        means: at that row; NaN where it is the ticker's first.
    """

    age: Int[np.ndarray, " path"]
    means: Mapping[RunningMean, Float[np.ndarray, " path"]]

    def of(self, paths: Int[np.ndarray, " chosen"]) -> EwmaState:
        """The state of some of the paths."""
        return EwmaState(self.age[paths], {key: values[paths] for key, values in self.means.items()})

    @classmethod
    def joined(cls, parts: Sequence[EwmaState]) -> EwmaState:
        """The paths of several states, concatenated."""
        means = {key: np.concatenate([part.means[key] for part in parts]) for key in parts[0].means}
        return cls(np.concatenate([part.age for part in parts]), means)


@dataclass(frozen=True, eq=False)
class ResumedCandles(Candles):
    """Candles that resume from a state: running means continue from those of row `since`; NaN before it."""

    ewma_state: EwmaState = field(kw_only=True)
    since: int = field(default=0, kw_only=True)

    def mean(self, measure: Measure, half_lives: tuple[float, ...]) -> Float[np.ndarray, "time ticker scale"]:
        values = np.nan_to_num(measure(self)[self.since + 1 :])
        found = np.full((*self.volume.shape, len(half_lives)), np.nan)
        for scale, half_life in enumerate(half_lives):
            decay, mean = 0.5 ** (1.0 / half_life), self.ewma_state.means[measure, half_life]
            # The mean is Σ(1 − λ) λ^age · value / (1 − λ^n): undo the division at `since`, add on, divide again.
            weights = 1 - decay ** (self.ewma_state.age + np.arange(1, len(values) + 1)[:, None])
            added = (1 - decay) * values
            # At a ticker's first session the mean is NaN and 1 − λ⁰ is 0, but NaN · 0 is NaN: hence nan_to_num.
            # A slice, not added[0], because there may be no row after `since`.
            added[:1] += decay * np.nan_to_num(mean) * (1 - decay**self.ewma_state.age)
            found[self.since, :, scale] = mean
            found[self.since + 1 :, :, scale] = decayed_sum(added, decay) / weights
        return found


@dataclass(frozen=True, eq=False)
class _RecordingCandles(Candles):
    """Candles that record which running means and lags are used."""

    means: dict[RunningMean, None] = field(default_factory=dict, kw_only=True)
    # At least 1: `CandlePaths.append` needs the newest candle and the one before it.
    lags: list[int] = field(default_factory=lambda: [1], kw_only=True)

    def mean(self, measure: Measure, half_lives: tuple[float, ...]) -> np.ndarray:
        self.means.update(dict.fromkeys((measure, half_life) for half_life in half_lives))
        return super().mean(measure, half_lives)

    def lag(self, values: np.ndarray, sessions: int) -> np.ndarray:
        self.lags.append(sessions)
        return super().lag(values, sessions)


def requirements(candles: Candles, functions: Iterable[Callable[[Candles], object]]) -> Requirements:
    """Run functions on a block, of which a single candle is enough, and record what they use."""
    # A fresh object: properties that the given block has cached would not be recorded again.
    recording = _RecordingCandles(candles.logs, candles.volume, candles.sessions, candles.calendars, candles.market)
    # First, because `means` begins with the mean behind the scale, which every path needs whatever its groups are.
    _ = recording.scale
    for function in functions:
        function(recording)
    return Requirements(tuple(recording.means), max(recording.lags))


def ewma_state_at(candles: Candles, rows: Int[np.ndarray, " ticker"], means: Sequence[RunningMean]) -> EwmaState:
    """EWMA state of a block at one row of each ticker: one dot product each, instead of the means of all rows."""
    measured = {measure: np.nan_to_num(measure(candles)) for measure, _ in means}
    found = {}
    for measure, half_life in means:
        decay = 0.5 ** (1.0 / half_life)
        # weights[k] is that of the value k sessions old. Row 0 has no previous close and counts in no mean, so that
        # values[place, :row] are the rows 1 … row; reversed, the newest meets weights[0].
        weights = (1 - decay) * decay ** np.arange(rows.max())
        values = measured[measure][1:].T
        found[measure, half_life] = np.array(
            [
                weights[:row] @ values[place, :row][::-1] / (1 - decay**row) if row else np.nan
                for place, row in enumerate(rows.tolist())
            ]
        )
    return EwmaState(rows, found)
