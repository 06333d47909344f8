"""A forecast of one ticker, in its currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.config.schema import VARIABLES
from forecaster.data.bars import Bars
from forecaster.data.coherence import CLOSE
from forecaster.display import Displayable, display
from forecaster.evaluation.rows import Measure
from forecaster.inference.tails import Tails

if TYPE_CHECKING:
    from forecaster.display import Picture

HISTORY = 66
"""Past candles stored with a forecast, for charts: three months."""


@dataclass(frozen=True, eq=False)
class History:
    """The last candles up to the origin, adjusted and rescaled to its close.

    Args:
        ohlc: open, high, low, close.
        bars: all that was known then; `whole` adjusts them only where they are drawn.
    """

    dates: Shaped[np.ndarray, " time"]
    ohlc: Float[np.ndarray, "time 4"]
    bars: Bars | None = None

    @classmethod
    def of(cls, bars: Bars) -> History:
        """The last `HISTORY` candles of a ticker, or all if there are fewer."""
        known = bars.between(start=bars.dates[-HISTORY:][0])
        return cls(known.dates, _rescaled(known), bars)

    def whole(self) -> History:
        """All candles from the ticker's first one on."""
        return self if self.bars is None else History(self.bars.dates, _rescaled(self.bars))


@dataclass(frozen=True, eq=False)
class Forecast(Displayable):
    """Forecast of the coming candles, made at the close of `origin`.

    Args:
        run: name of the run that made it.
        last_close: close of the origin as the source gives it; prices are on its scale.
        steps: sessions ahead.
        dates: of those sessions, from the ticker's exchange calendar.
        levels: quantile levels, ascending.
        prices: coherent quantile candles.
        history: past candles, for charts; data formats omit it.
        skill: test results of this run.
        weights: `evaluated`, those that were tested; `production`, the same recipe refitted on all candles; or `har`,
            the simple formula that answers for a market that the run was not trained on.
        fitted_to: last date that those weights were trained or selected on; for `har` the origin.
        in_sample: the weights were fitted to candles after the origin, so the forecast is no test of them.
        range: expected log(high / low) of each session; NaN if the run has no bands.
        volatility: annualised, of the close over all sessions up to each step; NaN likewise.
        widths: test results for range and volatility, a row for each quantity and step.
        paths: coherent candle paths in prices over the contiguous steps 1, 2, …; None if not requested.
        tails: beyond the outer levels, see `inference.tails`; None if the run has no fit. Data formats omit it.
        warnings: one sentence each.
    """

    ticker: str
    run: str
    origin: np.datetime64
    last_close: float
    currency: str
    steps: tuple[int, ...]
    dates: Shaped[np.ndarray, " horizon"]
    levels: tuple[float, ...]
    prices: Float[np.ndarray, "horizon variable quantile"]
    history: History
    skill: dict[str, Any]
    warnings: tuple[str, ...]
    weights: str
    fitted_to: str
    range: Float[np.ndarray, " horizon"]
    volatility: Float[np.ndarray, " horizon"]
    in_sample: bool = False
    widths: tuple[Measure, ...] = ()
    paths: Float[np.ndarray, "path step variable"] | None = None
    tails: Tails | None = None

    @property
    def point(self) -> Float[np.ndarray, "horizon variable"]:
        """The median candle."""
        return self.prices[..., self.levels.index(0.5)]

    def __repr__(self) -> str:
        begin = f"{self.ticker} after {self.origin}, close {self.last_close:.6g} {self.currency}"
        end = f"by {self.dates[-1]} {self.point[-1, CLOSE]:.6g}"
        if band := self.band80:
            end += f", 80% band {band[0][-1]:.6g} to {band[1][-1]:.6g}"
        return f"Forecast({begin}; {end}; run {self.run})"

    @property
    def band80(self) -> tuple[Float[np.ndarray, " horizon"], Float[np.ndarray, " horizon"]] | None:
        """The 80 % band of the close: its quantiles 0.1 and 0.9; None for a run that forecasts medians only."""
        if not {0.1, 0.9} <= set(self.levels):
            return None
        low, high = (self.prices[:, CLOSE, self.levels.index(level)] for level in (0.1, 0.9))
        return low, high

    def plot(self) -> Picture:
        """The chart that `forecast predict --plot` writes; a notebook displays it, `save("aapl.svg")` keeps it."""
        return display().picture(self)

    def as_data(self) -> dict[str, Any]:
        """The forecast as JSON-compatible data."""
        data = {
            "ticker": self.ticker,
            "run": self.run,
            "origin": str(self.origin),
            "last_close": self.last_close,
            "currency": self.currency,
            "levels": list(self.levels),
            "forecast": [self._step(place) for place in range(len(self.steps))],
            "skill": self.skill,
            "weights": self.weights,
            "fitted_to": self.fitted_to,
            "in_sample": self.in_sample,
        }
        return data if self.paths is None else data | {"paths": [self._path(path) for path in self.paths]}

    def as_rows(self) -> list[dict[str, Any]]:
        """Long format: a row for each price and level; level None is the point forecast.

        Range and volatility are two more variables. Paths, if any, follow, numbered in the column `path`.
        """
        rows: list[dict[str, Any]] = []
        point = self.point.tolist()
        for place, step in enumerate(self.steps):
            head = {"ticker": self.ticker, "origin": str(self.origin), "step": step, "date": str(self.dates[place])}
            for variable, name in enumerate(VARIABLES):
                values = [
                    (None, point[place][variable]),
                    *zip(self.levels, self.prices[place, variable].tolist(), strict=True),
                ]
                rows += [head | {"variable": name, "level": level, "value": value} for level, value in values]
            for name in ("range", "volatility"):
                rows.append(head | {"variable": name, "level": None, "value": _number(getattr(self, name)[place])})
        return rows if self.paths is None else [row | {"path": None} for row in rows] + list(self._path_rows())

    def _path(self, path: Float[np.ndarray, "step variable"]) -> list[dict[str, Any]]:
        return [dict(zip(VARIABLES, candle, strict=True)) for candle in path.tolist()]

    def _path_rows(self) -> Iterator[dict[str, Any]]:
        assert self.paths is not None
        head = {"ticker": self.ticker, "origin": str(self.origin)}
        for number, path in enumerate(self.paths.tolist(), 1):
            for place, candle in enumerate(path):
                step = {"step": self.steps[place], "date": str(self.dates[place])}
                for name, value in zip(VARIABLES, candle, strict=True):
                    yield head | step | {"variable": name, "level": None, "value": value, "path": number}

    def _width(self, quantity: str, key: str, place: int) -> dict[str, Any]:
        """Expected range or volatility, and the skill of such forecasts in the test."""
        found = next((one for one in self.widths if (one.quantity, one.step) == (quantity, self.steps[place])), None)
        value = _number(getattr(self, quantity)[place])
        results = {} if found is None else {"baseline": found.baseline, "skill": found.skill, "p_value": found.p_value}
        return {key: value, "baseline": None, "skill": None, "p_value": None} | results

    def _step(self, place: int) -> dict[str, Any]:
        candle = {
            name: {"point": float(self.point[place, variable]), "quantiles": self.prices[place, variable].tolist()}
            for variable, name in enumerate(VARIABLES)
        }
        widths = {
            "range": self._width("range", "expected", place),
            "volatility": self._width("volatility", "annualised", place),
        }
        return {"step": self.steps[place], "date": str(self.dates[place])} | candle | widths


def _rescaled(bars: Bars) -> Float[np.ndarray, "time 4"]:
    """Adjusted candles on the scale of the last close."""
    # The last adjusted close differs from the close where dividends or splits came later, as with --as-of.
    return bars.adjusted() * (bars.close[-1] / bars.adj_close[-1])


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
