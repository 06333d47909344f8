"""Forecasts of several tickers with one run: each with the weights that may forecast it, or a formula of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from forecaster.data.bars import Bars
from forecaster.data.panel import Panel
from forecaster.data.quality import Reading
from forecaster.data.store import Store
from forecaster.evaluation.scorecard import Scorecard
from forecaster.evaluation.standing import skill_of
from forecaster.inference.compose import EVALUATED, OWN, PRODUCTION, Request, chosen_weights, compose
from forecaster.inference.forecast import Forecast
from forecaster.inference.foreign import needed, own_dataset, own_quantiles, own_templates
from forecaster.inference.newest import origin_days, quantiles_in_market
from forecaster.inference.paths import Templates
from forecaster.modelfile import Model
from forecaster.runs.run import Run


def forecast_all(
    run: Run, store: Store, request: Request, histories: Mapping[str, Reading], card: Scorecard
) -> Iterator[Forecast]:
    """Forecasts each history with production or evaluated weights, or by a formula, see `chosen_weights`."""
    skill, widths, model = skill_of(card, request.steps), card.widths(), run.model
    of = partial(compose, run.name, model, request, skill=skill, widths=widths)
    for weights in (PRODUCTION, EVALUATED):
        chosen = [one.bars for one in histories.values() if chosen_weights(model, one) == weights]
        if not chosen:
            continue
        members, panel = model.light(weights == PRODUCTION), Panel.of(chosen)
        market = run.market(store, members, origin_days(panel), weights == PRODUCTION)
        candles = quantiles_in_market(members, model.config, panel, market)
        for bars, quantiles in zip(chosen, candles, strict=True):
            templates = _templates(model, bars) if request.paths else None
            yield of(histories[bars.ticker], quantiles, market=market, templates=templates)
    for reading in [one for one in histories.values() if chosen_weights(model, one) == OWN]:
        dataset = own_dataset(reading.bars, model.config.task.steps)
        quantiles = own_quantiles(dataset, dataset.panel.offsets[1:] - 1, model.config.task.levels)[0]
        templates = own_templates(dataset, model.config) if request.paths else None
        yield of(reading, quantiles, market=None, templates=templates)


def _templates(model: Model, bars: Bars) -> Templates | None:
    """The run's templates; a run without any, as the shipped one, takes stretches of the ticker's own history."""
    if model.templates is not None or len(bars) < needed(model.config.task.steps):
        return model.templates
    return own_templates(own_dataset(bars, model.config.task.steps), model.config)
