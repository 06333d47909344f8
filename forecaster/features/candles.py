"""Candles as features read them: a block of tickers, each on its own sessions from row 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.data.calendars import following_sessions
from forecaster.data.coherence import CLOSE, HIGH, LOW, OPEN
from forecaster.features.ewma import ewma

SCALE_HALF_LIFE = 11.0
"""Half-life, in sessions, of the volatility that standardises features and targets."""

SCALE_FLOOR = 1e-3
"""Smallest daily volatility: ten basis points."""

READY_AGE = 60
"""Earlier sessions a ticker needs before a row is used for training or forecasting."""

Measure = Callable[["Candles"], Float[np.ndarray, "time ticker"]]
"""One number a candle. A module-level function, never a lambda: running means are keyed by it."""

MARKET_NAMES = ("shock", "log_scale", "move", "log_scale_3", "log_scale_66")


@dataclass(frozen=True, eq=False)
class Market:
    """Averages over the tickers of each exchange calendar, by date.

    Calendars are kept apart: New York closes after Tokyo on the same date, so mixing them would be look-ahead.

    Args:
        dates: ascending, for each calendar.
        means: of `MARKET_NAMES` over the tickers of the date.
    """

    dates: dict[str, Shaped[np.ndarray, " time"]]
    means: dict[str, Float[np.ndarray, "time mean"]]

    def at(self, sessions: Shaped[np.ndarray, "time ticker"], calendars: tuple[str, ...]) -> np.ndarray:
        """The means of each session's own date, [time, ticker, mean]; NaN where the market did not trade."""
        values = np.full((*sessions.shape, len(MARKET_NAMES)), np.nan)
        for column, calendar in enumerate(calendars):
            dates = self.dates.get(calendar)
            if dates is None:
                continue
            # Exact dates only: what lies between two of them, after the last or is NaT fails the comparison below.
            places = np.minimum(np.searchsorted(dates, sessions[:, column]), len(dates) - 1)
            found = dates[places] == sessions[:, column]
            values[found, column] = self.means[calendar][places[found]]
        return values


@dataclass(frozen=True, eq=False)
class Candles:
    """A block of tickers; rows past a ticker's end are NaN.

    Args:
        logs: natural logs of adjusted open, high, low, close.
        volume: shares.
        sessions: datetime64[D]; NaT past the end.
        calendars: exchange calendar of each ticker.
        market: returns the market's averages, for the groups that read them.
    """

    logs: Float[np.ndarray, "time ticker 4"]
    volume: Float[np.ndarray, "time ticker"]
    sessions: Shaped[np.ndarray, "time ticker"]
    calendars: tuple[str, ...]
    market: Callable[[], Market]

    @property
    def open(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., OPEN]

    @property
    def high(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., HIGH]

    @property
    def low(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., LOW]

    @property
    def close(self) -> Float[np.ndarray, "time ticker"]:
        return self.logs[..., CLOSE]

    @cached_property
    def previous_close(self) -> Float[np.ndarray, "time ticker"]:
        """Close of the ticker's session before; NaN on its first."""
        return self.lag(self.close, 1)

    @cached_property
    def gap(self) -> Float[np.ndarray, "time ticker"]:
        """Open over the previous close."""
        return self.open - self.previous_close

    @cached_property
    def body(self) -> Float[np.ndarray, "time ticker"]:
        """Close over open."""
        return self.close - self.open

    @cached_property
    def upper_wick(self) -> Float[np.ndarray, "time ticker"]:
        """High over the body."""
        return self.high - np.maximum(self.open, self.close)

    @cached_property
    def lower_wick(self) -> Float[np.ndarray, "time ticker"]:
        """Body over low."""
        return np.minimum(self.open, self.close) - self.low

    @cached_property
    def returns(self) -> Float[np.ndarray, "time ticker"]:
        """Close over the previous close."""
        return self.close - self.previous_close

    @cached_property
    def variance(self) -> Float[np.ndarray, "time ticker"]:
        """One day's variance from its candle: the squared gap, plus Garman–Klass for the session.

        Source: Garman & Klass (1980), "On the Estimation of Security Price Volatilities from Historical Data".
        """
        # Negative only if |body| > high − low: a source's rounding of high or low allows that (`bars.TOLERANCE`).
        session = 0.5 * (self.high - self.low) ** 2 - (2 * np.log(2) - 1) * self.body**2
        return self.gap**2 + np.maximum(session, 0.0)

    @cached_property
    def scale(self) -> Float[np.ndarray, "time ticker"]:
        """Daily volatility known at the close: the unit of features and targets."""
        return self.volatility((SCALE_HALF_LIFE,))[..., 0]

    @cached_property
    def shock(self) -> Float[np.ndarray, "time ticker"]:
        """log(√variance / scale): the day's own volatility relative to the one known."""
        # A day on which all four prices are the last close has variance 0, whose log needs the floor.
        return np.log(np.maximum(np.sqrt(self.variance), SCALE_FLOOR) / self.scale)

    @cached_property
    def log_volume(self) -> Float[np.ndarray, "time ticker"]:
        return np.log(np.maximum(self.volume, 1.0))

    @cached_property
    def usual_volume(self) -> Float[np.ndarray, "time ticker"]:
        """EWMA of log volume, half-life 20 sessions."""
        return self.mean(_log_volume, (20.0,))[..., 0]

    @cached_property
    def following(self) -> Shaped[np.ndarray, "time ticker"]:
        """Date of the next session by the exchange calendar: known at the close, read from no later row."""
        following = np.full_like(self.sessions, np.datetime64("NaT"))
        calendars = np.asarray(self.calendars)
        for calendar in dict.fromkeys(self.calendars):
            real = ~np.isnat(self.sessions) & (calendars == calendar)
            following[real] = following_sessions(calendar, self.sessions[real])
        return following

    def volatility(self, half_lives: tuple[float, ...]) -> Float[np.ndarray, "time ticker scale"]:
        """√EWMA(variance) for each half-life (sessions), floored at `SCALE_FLOOR`."""
        return np.sqrt(np.maximum(self.mean(variance, half_lives), SCALE_FLOOR**2))

    def mean(self, measure: Measure, half_lives: tuple[float, ...]) -> Float[np.ndarray, "time ticker scale"]:
        """EWMA of a measure, starting at the second session, the first with a previous close."""
        return ewma(np.nan_to_num(measure(self)), half_lives, first=1)

    def lag(self, values: Float[np.ndarray, "time ticker"], sessions: int) -> Float[np.ndarray, "time ticker"]:
        """The value `sessions` of the ticker's own sessions ago; NaN before its start."""
        lagged = np.full_like(values, np.nan)
        # Without max, a history shorter than the lag would give a negative bound, which counts from the end.
        lagged[sessions:] = values[: max(len(values) - sessions, 0)]
        return lagged


def variance(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    """`Candles.variance`, as a measure."""
    return candles.variance


SCALE = (variance, SCALE_HALF_LIFE)
"""The running mean behind `Candles.scale`."""


def square_return(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    """The squared return, as a measure."""
    square: np.ndarray = candles.returns**2
    return square


def _log_volume(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    return candles.log_volume


def centred_log_scale(scale: np.ndarray) -> np.ndarray:
    """log of a daily volatility, 0 at 1.5 % and about 1 wide over stocks and years."""
    centred: np.ndarray = (np.log(scale) + 4.2) / 0.5
    return centred
