"""Columns of other tickers' candles (`covariates` in a config), as they are known at each close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.axes import Float, Int, Shaped
from forecaster.data.bars import Bars
from forecaster.data.closings import newest_known
from forecaster.features.candles import Candles, Market, centred_log_scale

NAME = "covariates"
"""First part of the columns' names: `covariates.^VIX.shock`."""

STALE = np.timedelta64(14, "D")
"""A covariate's newest candle counts for so many days: longer than any holidays."""

_READY = 20
"""Earlier sessions that a covariate needs before its columns count."""

_LEVELS = (22.0, 252.0)


def covariates(candles: Candles) -> Mapping[str, np.ndarray]:
    """Candles of other tickers, which the config names: `covariates: [^VIX]`, beside `features`.

    Each gives these columns, named `covariates.^VIX.shock`, to every ticker: those of its newest candle whose session
    closed, by its own calendar, no later than the ticker's. A market that closes later counts with the day before.
    They are 0 before its 21st candle, and where its newest one is more than 14 days old. `data.tickers: all` trains on
    covariates too, as on all tickers of the store: `data.exclude` leaves them out. Yahoo's ^VIX is stored with New
    York's calendar, so it counts on its own day, though it is computed for 15 minutes after the close. What covariates
    gain has not been measured: no index is in the sample.

    Columns:
        log_scale [log / 0.5; half-life 11]: `vol.log_scale` of the covariate.
        shock [log ratio; half-life 11]: `vol.shock` of the covariate.
        move [volatility; 1 session]: log(close / previous close), in the covariate's own volatility.
        level_{22|252} [log ratio; half-life 22 · 252]: log(close) minus its EWMA.
    """
    levels = candles.close[..., None] - candles.mean(_log_close, _LEVELS)
    found = {
        "log_scale": centred_log_scale(candles.scale),
        "shock": candles.shock,
        "move": candles.returns / candles.scale,
    }
    return found | {f"level_{half_life:.0f}": levels[..., place] for place, half_life in enumerate(_LEVELS)}


COLUMNS = ("log_scale", "shock", "move", "level_22", "level_252")
"""What `covariates` gives, in order."""


@dataclass(frozen=True, eq=False)
class Covariates:
    """The covariates of a panel.

    Args:
        bars: whole histories; one may be empty.
    """

    bars: Sequence[Bars]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(f"{NAME}.{one.ticker}.{column}" for one in self.bars for column in COLUMNS)

    def columns(
        self, sessions: Shaped[np.ndarray, "time ticker"], calendars: tuple[str, ...]
    ) -> dict[str, Float[np.ndarray, "time ticker"]]:
        """The columns for a block of tickers: at each session's close; NaN where unknown.

        Args:
            sessions: of each ticker, ascending; NaT past its end.
            calendars: exchange calendar of each ticker.
        """
        found = np.full((len(self.names), *sessions.shape), np.nan)
        for ticker, calendar in enumerate(calendars):
            days = sessions[:, ticker]
            days = days[: np.count_nonzero(~np.isnat(days))]
            for place, (one, values) in enumerate(zip(self.bars, self._values, strict=True)):
                at = known_candle(one, days, calendar)
                own = slice(place * len(COLUMNS), (place + 1) * len(COLUMNS))
                # at is −1 where none is known: that takes the row of NaN at the end.
                found[own, : len(days), ticker] = values[:, at]
        return dict(zip(self.names, found, strict=True))

    @cached_property
    def _values(self) -> list[Float[np.ndarray, "column row"]]:
        """Of each covariate, a row a candle and one of NaN."""
        return [np.pad(_computed(one), ((0, 0), (0, 1)), constant_values=np.nan) for one in self.bars]


def known_candle(one: Bars, days: Shaped[np.ndarray, " day"], calendar: str) -> Int[np.ndarray, " day"]:
    """Row of a covariate's newest candle that is known at the close of each day; −1 if there is none, or it is stale.

    Args:
        days: sessions of the exchange with the calendar.
    """
    at = newest_known(one.dates, one.calendar, days, calendar)
    known = at >= 0
    at[known] = np.where(days[known] - one.dates[at[known]] > STALE, -1, at[known])
    return at


def stale(bars: Sequence[Bars], day: np.datetime64, calendar: str) -> Iterator[Bars]:
    """The covariates that have no recent candle at the close of a day."""
    return (one for one in bars if known_candle(one, np.array([day]), calendar)[0] < 0)


def _computed(one: Bars) -> Float[np.ndarray, "column row"]:
    if not len(one):
        return np.empty((len(COLUMNS), 0))
    volume, dates = one.volume[:, None], one.dates[:, None]
    candles = Candles(np.log(one.adjusted())[:, None], volume, dates, (one.calendar,), _no_market)
    values = np.stack([covariates(candles)[name][:, 0] for name in COLUMNS])
    values[:, :_READY] = np.nan
    return values


def _no_market() -> Market:
    raise AssertionError("no column of a covariate reads the market")


def _log_close(candles: Candles) -> Float[np.ndarray, "time ticker"]:
    return candles.close
