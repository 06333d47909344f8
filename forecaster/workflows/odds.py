"""Odds of prices over the next days: closes beyond them, touches on the way, sizes; beside a driftless random walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.data.coherence import CLOSE, HIGH, LOW
from forecaster.data.dates import DateLike, to_date
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise
from forecaster.errors import InputError
from forecaster.evaluation.pathodds import TOUCH
from forecaster.evaluation.rows import Measure
from forecaster.events import Say
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import JointPaths, require_level
from forecaster.mapped import large_arrays_beside_store
from forecaster.positions import formula
from forecaster.positions.holdings import MOST
from forecaster.positions.measures import Number
from forecaster.positions.odds import First, beyond, first, touched, touched_with
from forecaster.positions.odds import size as most_shares
from forecaster.positions.rivals import ewma_deviation
from forecaster.runs.joint import find, joint_paths

PATHS = 20_000
"""Paths drawn: a share of 5 % is then known to within 0.3 %."""

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


@large_arrays_beside_store
def odds(
    ticker: str,
    *,
    above: Number | Sequence[Number] = (),
    below: Number | Sequence[Number] = (),
    touch: Number | Sequence[Number] = (),
    within: int | None = None,
    size: Number | None = None,
    level: Number = 95,
    run: str = "latest",
    as_of: DateLike | None = None,
    paths: int = PATHS,
    seed: int = 0,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> Odds:
    """Tells how probable it is that a ticker closes beyond prices, or touches them on the way.

    Args:
        above, below: prices, in the ticker's currency, beyond which it may close.
        touch: prices that a high or low may touch; of two of them also which comes first.
        within: sessions ahead, up to the run's contiguous steps; 5 if absent, or all of a run that has fewer.
        size: money; gives the most shares with which the chance of losing more by the last close is 100 − level %.
        level: of `size`, in per cent, above 50 and up to 99; beyond 95 the run must have a fit of its tails.
        paths: number of paths drawn.
        seed: of the paths.

    Raises:
        UnknownNameError: no such run, or the store lacks the ticker.
        InputError: a price that cannot be asked about, or days or level that the run does not have.
    """
    asked = _asked(above=above, below=below, touch=touch)
    if size is not None and not 0 < size <= MOST:
        raise InputError(f"--size is {size:g}: expected the money that may be lost, above 0 and up to {MOST:g}.")
    name, one = normalise(ticker), find(Path(runs_dir), run, say)
    joint = joint_paths(
        one,
        open_store(data_dir),
        [name],
        days=within,
        count=paths,
        seed=seed,
        as_of=to_date(as_of, "as_of"),
        data_dir=Path(data_dir),
        option="--within",
    )
    require_level(level, joint.forecasts if size is not None else ())
    return _read(joint, asked, size, level)


def _read(joint: JointPaths, asked: Sequence[tuple[str, float]], loss: Number | None, level: Number) -> Odds:
    """Read the odds off one ticker's paths."""
    (forecast,), days = joint.forecasts, joint.prices.shape[2]
    highs, lows, closes = (joint.of(variable)[:, 0].astype(float) for variable in (HIGH, LOW, CLOSE))
    walk = _Walk.of(forecast, days)
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


@dataclass(frozen=True)
class _Walk:
    """The driftless random walk from a close: daily volatility by EWMA, decay 0.94."""

    close: float
    deviation: np.ndarray

    @classmethod
    def of(cls, forecast: Forecast, days: int) -> _Walk:
        assert forecast.history.bars is not None
        returns = np.diff(np.log(forecast.history.bars.adjusted()[:, CLOSE]))
        return cls(forecast.last_close, ewma_deviation(returns)[-1] * np.sqrt(np.arange(1, days + 1)))

    def beyond(self, price: float, above: bool) -> np.ndarray:
        distance = np.log(price / self.close) * (1 if above else -1)
        return formula.close_beyond(np.full(len(self.deviation), distance), self.deviation)

    def touch(self, price: float) -> np.ndarray:
        return formula.touch(np.full(len(self.deviation), abs(np.log(price / self.close))), self.deviation)


def _odds(kind: str, price: float, highs: np.ndarray, lows: np.ndarray, closes: np.ndarray, walk: _Walk) -> PriceOdds:
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


def _asked(**given: Number | Sequence[Number]) -> list[tuple[str, float]]:
    """Kind and price of each question, checked."""
    asked = [(kind, price) for kind, prices in given.items() for price in _several(kind, prices)]
    for kind, price in asked:
        if not (np.isfinite(price) and price > 0):
            raise InputError(f"--{kind} is {price:g}: expected a price above 0.")
    return asked


def _several(kind: str, given: Number | Sequence[Number]) -> list[float]:
    try:
        return [float(given)] if isinstance(given, int | float) else [float(one) for one in given]
    except (TypeError, ValueError) as error:
        raise InputError(f"{kind} is {given!r}: expected a price, or a list of prices.") from error
