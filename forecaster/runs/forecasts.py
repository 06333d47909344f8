"""Forecasts of several tickers with one run: each with the weights that may forecast it, or a formula of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from forecaster.data.bars import Bars
from forecaster.data.dates import to_day
from forecaster.data.panel import Panel
from forecaster.data.quality import Reading
from forecaster.data.splits import Period
from forecaster.data.store import Store
from forecaster.errors import InputError
from forecaster.evaluation.scorecard import Scorecard
from forecaster.evaluation.standing import skill_of
from forecaster.features.candles import READY_AGE
from forecaster.features.dataset import Dataset
from forecaster.inference.compose import EVALUATED, OWN, PRODUCTION, Request, chosen_weights, compose
from forecaster.inference.forecast import Forecast
from forecaster.inference.foreign import needed as needed_alone
from forecaster.inference.foreign import own_dataset, own_quantiles
from forecaster.inference.newest import origin_days, quantiles_in_market
from forecaster.inference.paths import contiguous
from forecaster.inference.stretches import require_stretches
from forecaster.inference.tails import Tails, fit_tails
from forecaster.runs.covariates import lagging, require_known
from forecaster.runs.run import Run


def forecast_all(
    run: Run, store: Store, request: Request, histories: Mapping[str, Reading], card: Scorecard
) -> Iterator[Forecast]:
    """Forecasts each history with production or evaluated weights, or by a formula, see `chosen_weights`."""
    skill, widths, model = skill_of(card, request.steps), card.widths(), run.model
    covariates = run.covariates(store)
    of = partial(compose, run.name, model, request, skill=skill, widths=widths)
    known = {ticker: one.bars for ticker, one in histories.items() if one.untouched}
    for weights in (PRODUCTION, EVALUATED):
        chosen = [one.bars for one in histories.values() if chosen_weights(model, one) == weights]
        if not chosen:
            continue
        members, panel = model.light(weights == PRODUCTION), Panel.of(chosen, covariates)
        market = run.market(store, members, origin_days(panel), weights == PRODUCTION, known)
        candles = quantiles_in_market(members, model.config, panel, market)
        for bars, quantiles in zip(chosen, candles, strict=True):
            yield of(histories[bars.ticker], quantiles, market=market, tails=model.tails)
    for reading in [one for one in histories.values() if chosen_weights(model, one) == OWN]:
        dataset = own_dataset(reading.bars, model.config.task.steps)
        quantiles = own_quantiles(dataset, dataset.panel.offsets[1:] - 1, model.config.task.levels)[0]
        tails = _own_tails(dataset, model.config.task.levels) if request.paths else None
        yield of(reading, quantiles, market=None, tails=tails)


def read_history(run: Run, store: Store, ticker: str, request: Request, covariates: Sequence[Bars]) -> Reading:
    """A ticker's history as of the request's date, checked to be long enough for what is requested.

    Args:
        covariates: of the run; a warning says which lack a session or a few.

    Raises:
        UnknownNameError: the store does not have the ticker.
        InputError: it has too few candles, or a covariate ends too early.
    """
    known, task = run.history(store, ticker, to_day(request.as_of, "as_of")), run.config.task
    is_known = run.header.knows(known.bars.ticker, known.calendar)
    least = max(READY_AGE + 1, task.context if task.supervision == "window" else 0)
    if not is_known:
        least = max(least, needed_alone(task.steps))
    if len(known.bars) < least:
        until = f" up to {request.as_of}" if request.as_of else ""
        raise InputError(
            f"{ticker} has {len(known.bars)} candles{until}, but a forecast needs {least}: "
            "fetch a longer history or choose a later date."
        )
    if request.paths:
        require_stretches(known.bars, contiguous(request.steps))
    if not is_known or not covariates:
        return known
    day, calendar = known.bars.dates[-1], known.bars.calendar
    require_known(covariates, ticker, day, calendar)
    return replace(known, notes=(*known.notes, *lagging(covariates, day, calendar)))


def _own_tails(dataset: Dataset, levels: tuple[float, ...]) -> Tails | None:
    """Tails of a ticker that is forecast by a formula of its own, fitted to its own candles."""
    return fit_tails(dataset, Period(None, dataset.panel.sessions[-1]), levels)
