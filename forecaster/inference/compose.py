"""A run's quantiles for one ticker → a forecast in its currency, with warnings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.data.bars import Bars
from forecaster.data.calendars import next_sessions, sessions_a_year
from forecaster.data.quality import Reading
from forecaster.errors import at_most_five
from forecaster.evaluation.rows import Measure
from forecaster.inference.forecast import Forecast, History
from forecaster.inference.foreign import FORMULA
from forecaster.inference.market import MarketView
from forecaster.inference.tails import Tails
from forecaster.inference.volatility import annualised, expected_range, variance
from forecaster.modelfile import Model

_STALE = np.timedelta64(7, "D")
_THIN = 250

PRODUCTION, EVALUATED, OWN = "production", "evaluated", FORMULA
"""Which weights: those refitted on all candles, those that were tested, or none but a formula fitted to the ticker."""


@dataclass(frozen=True)
class Request:
    """Options of a forecast.

    Args:
        steps: which of the trained steps to output.
        as_of: the date to forecast from; None for today.
        paths: number of paths to draw; None for none.
        seed: for drawing the paths.
    """

    steps: tuple[int, ...]
    as_of: dt.date | None
    paths: int | None
    seed: int


def compose(
    run: str,
    model: Model,
    request: Request,
    reading: Reading,
    quantiles: Float[np.ndarray, "horizon variable quantile"],
    market: MarketView | None,
    skill: dict[str, Any],
    widths: tuple[Measure, ...],
    tails: Tails | None,
) -> Forecast:
    """Compose the forecast of one ticker.

    Args:
        skill: test results of the run; `widths` those of ranges and volatility.
        quantiles: of log(price / last close), at every trained step.
        market: the run's own tickers on the forecast day.
        tails: beyond the outer levels, at every trained step; None if there is no fit.
    """
    levels, steps, bars = model.config.task.levels, request.steps, reading.bars
    origin, last_close = bars.dates[-1], float(bars.close[-1])
    quantiles = quantiles[: len(steps)]
    weights = chosen_weights(model, reading)
    fitted_to = _fitted_to(model, weights, origin)
    in_sample = bool(origin < fitted_to)
    ranges, volatility = range_and_volatility(reading.calendar, steps, levels, quantiles)
    return Forecast(
        ticker=bars.ticker,
        run=run,
        origin=origin,
        last_close=last_close,
        currency=bars.currency,
        steps=steps,
        dates=next_sessions(reading.calendar, origin, steps[-1])[np.asarray(steps) - 1],
        levels=levels,
        prices=last_close * np.exp(quantiles),
        history=History.of(bars),
        skill=_skill(skill, run, weights, in_sample, fitted_to, reading),
        warnings=(*reading.notes, *_warnings(bars, model, request.as_of, weights), *_gaps(market, model, bars)),
        weights=weights,
        fitted_to=str(fitted_to),
        in_sample=in_sample,
        range=ranges,
        volatility=volatility,
        widths=() if in_sample or weights == OWN else widths,
        tails=None if tails is None else tails[: len(steps)],
    )


def chosen_weights(model: Model, reading: Reading) -> str:
    """The weights refitted on all candles, unless they have already seen the outcome of the day.

    A ticker of a market that the run was not trained on is forecast by a formula of its own (see `foreign`).
    """
    refit, bars = model.header.refit, reading.bars
    if not model.header.knows(bars.ticker, reading.calendar):
        return OWN
    if refit is None:
        return EVALUATED
    # From the refit's newest candle on, no outcome can be among what it was fitted to.
    return PRODUCTION if bars.dates[-1] >= refit.newest.get(bars.calendar, refit.fitted_to) else EVALUATED


def _fitted_to(model: Model, weights: str, origin: np.datetime64) -> np.datetime64:
    refit = model.header.refit
    if weights == OWN:
        return origin
    return refit.fitted_to if refit and weights == PRODUCTION else model.header.fitted_to


def _skill(
    skill: dict[str, Any], run: str, weights: str, in_sample: bool, fitted_to: np.datetime64, reading: Reading
) -> dict[str, Any]:
    """The run's test results, or why they say nothing about this forecast."""
    if weights == OWN:
        reason = (
            f"Not tested: {reading.bars.ticker} trades by the calendar {reading.calendar}, which run {run} was not "
            f"trained on; a simple formula ({FORMULA}), fitted to its own candles, answers instead."
        )
    elif in_sample:
        reason = (
            f"In-sample: the weights were fitted to candles up to {fitted_to}, so a forecast from "
            f"{reading.bars.dates[-1]} is no test of them."
        )
    else:
        return skill
    return {"verdict": reason, "baseline": None, "pinball_skill": None, "p_value": None, "held": []}


def range_and_volatility(
    calendar: str,
    steps: tuple[int, ...],
    levels: tuple[float, ...],
    quantiles: Float[np.ndarray, "horizon variable quantile"],
) -> tuple[Float[np.ndarray, " horizon"], Float[np.ndarray, " horizon"]]:
    """Expected range and annualised volatility; NaN for a median-only run."""
    if len(levels) == 1:
        return np.full(len(steps), np.nan), np.full(len(steps), np.nan)
    volatility = annualised(variance(quantiles, levels), steps, sessions_a_year(calendar))
    return expected_range(quantiles, levels), volatility


def _warnings(bars: Bars, model: Model, as_of: dt.date | None, weights: str) -> Iterator[str]:
    origin, header = bars.dates[-1], model.header
    if weights != OWN and bars.ticker not in header.tickers:
        yield f"{bars.ticker} was not among the {_count(header.tickers)} of training."
    if weights == PRODUCTION and header.refit:
        yield (
            f"The weights were refitted on all candles to {header.refit.fitted_to}; the skill was measured "
            f"with those fitted to {header.fitted_to}."
        )
    elif weights == EVALUATED and header.refit and origin >= header.fitted_to:
        reason = f"those refitted on all candles have seen the outcome after {origin}"
        yield f"The weights are the tested ones, fitted to {header.fitted_to}: {reason}."
    if as_of is None and np.datetime64("today") - origin > _STALE:
        yield f"{bars.ticker}'s candles end on {origin}: fetch newer ones for a forecast of today."
    if len(bars) < _THIN:
        yield f"{bars.ticker} has only {len(bars)} candles: its volatility estimate is unreliable."


def _count(tickers: tuple[str, ...]) -> str:
    return f"{len(tickers)} ticker{'s' * (len(tickers) > 1)}"


def _gaps(market: MarketView | None, model: Model, bars: Bars) -> Iterator[str]:
    """Warnings about tickers of the run without candles on the day of the forecast."""
    if market is None:
        return
    origin, tickers = bars.dates[-1], _peers(market, model.header.tickers, bars.calendar)
    if "market" not in model.config.features:
        if absent := [ticker for ticker in tickers if ticker not in market.newest]:
            yield (
                f"{len(absent)} of the {len(tickers)} tickers whose errors calibrate the bands are not in the "
                f"store ({at_most_five(absent)}): fetch them."
            )
    elif lacking := _lacking(market, tickers, origin):
        yield (
            f"{len(lacking)} of the {len(tickers)} tickers that the run averages have no candle on {origin} "
            f"({at_most_five(lacking)}): fetch them (forecast data verify finds damaged files), or train without the "
            "market group."
        )


@lru_cache(maxsize=4)
def _peers(market: MarketView, tickers: tuple[str, ...], calendar: str) -> tuple[str, ...]:
    """Tickers of a calendar; one missing from the store counts if all others are on that calendar."""
    alone = all(one == calendar for one in market.calendars.values())
    return tuple(ticker for ticker in tickers if market.calendars.get(ticker, calendar if alone else "") == calendar)


@lru_cache(maxsize=4)
def _lacking(market: MarketView, tickers: tuple[str, ...], day: np.datetime64) -> list[str]:
    """Tickers without a candle on a day. Cached: the same for all forecasts from it."""
    return [ticker for ticker in tickers if ticker not in market.newest or market.newest[ticker] < day]
