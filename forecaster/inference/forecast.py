"""A forecast of one ticker, in its currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.config.schema import VARIABLES


@dataclass(frozen=True, eq=False)
class Forecast:
    """Candles to come, as seen from the close of `origin`.

    Args:
        run: name of the run that made it.
        last_close: close of the origin as the source gives it; prices are on its scale.
        steps: sessions ahead.
        dates: of those sessions, from the ticker's exchange calendar.
        levels: quantile levels, ascending.
        prices: coherent quantile candles.
        skill: what the test period said of this run.
        warnings: what the reader should know, a sentence each.
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
    skill: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def point(self) -> Float[np.ndarray, "horizon variable"]:
        """The median candle."""
        return self.prices[..., self.levels.index(0.5)]

    def as_data(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "ticker": self.ticker,
            "run": self.run,
            "origin": str(self.origin),
            "last_close": self.last_close,
            "currency": self.currency,
            "levels": list(self.levels),
            "forecast": [self._step(place) for place in range(len(self.steps))],
            "skill": self.skill,
        }

    def as_rows(self) -> list[dict[str, Any]]:
        """The long form: a row for each price and level; the point's level is None."""
        rows = []
        for place, step in enumerate(self.steps):
            head = {"ticker": self.ticker, "origin": str(self.origin), "step": step, "date": str(self.dates[place])}
            for variable, name in enumerate(VARIABLES):
                values = [
                    (None, self.point[place, variable]),
                    *zip(self.levels, self.prices[place, variable], strict=True),
                ]
                rows += [head | {"variable": name, "level": level, "value": float(value)} for level, value in values]
        return rows

    def _step(self, place: int) -> dict[str, Any]:
        candle = {
            name: {"point": float(self.point[place, variable]), "quantiles": self.prices[place, variable].tolist()}
            for variable, name in enumerate(VARIABLES)
        }
        return {"step": self.steps[place], "date": str(self.dates[place])} | candle
