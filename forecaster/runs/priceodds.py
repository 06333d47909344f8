"""Odds of one ticker's prices, read off its paths, beside what a random walk without drift gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.errors import InputError
from forecaster.evaluation.pathodds import TOUCH
from forecaster.evaluation.rows import Measure
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import JointPaths
from forecaster.positions.formula import Walk
from forecaster.positions.measures import Number
from forecaster.positions.odds import First, beyond, first, touched, touched_with
from forecaster.positions.odds import size as most_shares

CHANCES = (0.5, 0.25, 0.1, 0.05)
"""Chances of the table of prices that are touched."""

_RESOLVED = 1e-9


@dataclass(frozen=True)
class PriceOdds:
    """The odds of one price.

    Args:
        kind: `above` or `below`, of the close; `touch`, by a high or low.
        on: share of paths whose close lies beyond the price on each day; empty for a touch.
        by: the same on that day or any before it; for a touch, that touch it by that day.
        formula: what the driftless random walk gives: on each day for a close, by each day for a touch.
    """

    kind: str
    price: float
    on: tuple[float, ...]
    by: tuple[float, ...]
    formula: tuple[float, ...]


@dataclass(frozen=True)
class Size:
    """How many shares keep a loss within bounds.

    Args:
        loss: money that should not be lost, with a probability of `level` %.
        shares: the most that do; None if any number would.
    """

    loss: float
    level: float
    shares: int | None


@dataclass(frozen=True, eq=False)
class Odds:
    """Odds of prices of one ticker, over the sessions of `dates`.

    Args:
        prices: of each price that was asked about.
        first: of two touch prices, which comes first; None without two.
        touched: for some chances, the prices below and above that are touched by the last day with that chance.
        size: None if no loss was named.
        measures: what such odds were worth in the run's test; empty if not measured, or in-sample.
    """

    ticker: str
    run: str
    origin: str
    last_close: float
    currency: str
    dates: tuple[str, ...]
    paths: int
    prices: tuple[PriceOdds, ...]
    first: First | None
    touched: tuple[tuple[float, float, float], ...]
    size: Size | None
    in_sample: bool
    verdict: str
    measures: tuple[Measure, ...]
    notes: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """The odds as JSON-compatible data."""
        plain = ("ticker", "run", "origin", "last_close", "currency", "dates", "paths")
        return {name: getattr(self, name) for name in plain} | {
            "dates": list(self.dates),
            "prices": [asdict(one) for one in self.prices],
            "first": self.first and asdict(self.first),
            "touched": [{"chance": one, "below": low, "above": high} for one, low, high in self.touched],
            "size": self.size and asdict(self.size),
            "skill": {"verdict": self.verdict, "measures": [asdict(one) for one in self.measures]},
            "in_sample": self.in_sample,
            "notes": list(self.notes),
        }


def read_odds(joint: JointPaths, asked: Sequence[tuple[str, float]], loss: Number | None, level: Number) -> Odds:
    """Read the odds off one ticker's paths."""
    (forecast,), days = joint.forecasts, joint.prices.shape[2]
    highs, lows, closes = (joint.of(variable)[:, 0].astype(float) for variable in (HIGH, LOW, CLOSE))
    walk = _walk(forecast, days)
    found = [_odds(kind, price, highs, lows, closes, walk) for kind, price in asked]
    pair = [price for kind, price in asked if kind == "touch"]
    return Odds(
        ticker=forecast.ticker,
        run=forecast.run,
        origin=str(forecast.origin),
        last_close=forecast.last_close,
        currency=forecast.currency,
        dates=tuple(map(str, forecast.dates[:days])),
        paths=len(closes),
        prices=tuple(found),
        first=first(highs, lows, (pair[0], pair[1]), forecast.last_close) if len(pair) == 2 else None,
        touched=tuple(touched_with(highs, lows, CHANCES)),
        size=None if loss is None else _size(closes, forecast.last_close, loss, level),
        in_sample=forecast.in_sample,
        verdict=forecast.skill["verdict"],
        measures=tuple(one for one in forecast.widths if one.quantity == TOUCH),
        notes=(*forecast.warnings, *joint.notes),
    )


def _walk(forecast: Forecast, days: int) -> Walk:
    assert forecast.history.bars is not None
    return Walk.of(forecast.history.bars.adjusted()[:, CLOSE], forecast.last_close, days)


def _odds(kind: str, price: float, highs: np.ndarray, lows: np.ndarray, closes: np.ndarray, walk: Walk) -> PriceOdds:
    if kind == "touch":
        if abs(price / walk.close - 1) < _RESOLVED:
            raise InputError(f"--touch {price:g} is the last close, so it is touched already: choose another price.")
        share = touched(highs, lows, price, walk.close)
        return PriceOdds(kind, price, (), tuple(share.tolist()), tuple(walk.touch(price).tolist()))
    above = kind == "above"
    on, by = beyond(closes, price, above)
    return PriceOdds(kind, price, tuple(on.tolist()), tuple(by.tolist()), tuple(walk.beyond(price, above).tolist()))


def _size(closes: np.ndarray, last_close: float, loss: Number, level: Number) -> Size:
    return Size(float(loss), float(level), most_shares(closes, last_close, loss, level))
