"""Forecast tickers of the store with a trained run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import Config
from forecaster.data.bars import Bars
from forecaster.data.calendars import next_sessions
from forecaster.data.panel import Panel
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import ForecasterError, InputError, at_most_five
from forecaster.features.candles import READY_AGE
from forecaster.inference.forecast import Forecast
from forecaster.workflows import runs
from forecaster.workflows.market import known_market

if TYPE_CHECKING:
    from forecaster.inference.market import MarketView
    from forecaster.modelfile import Header

_STALE = np.timedelta64(7, "D")
_THIN = 250


@dataclass(frozen=True)
class Failure:
    """A ticker that could not be forecast, and why."""

    ticker: str
    error: ForecasterError


def predict(
    tickers: Sequence[str],
    *,
    run: str = "latest",
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    horizon: int | None = None,
    as_of: dt.date | None = None,
    failed: Callable[[Failure], None] | None = None,
) -> list[Forecast]:
    """Forecast the next sessions of tickers, seen in training or not.

    Args:
        run: a folder, a name under the runs folder, or `latest`.
        horizon: keep the trained steps up to this one.
        as_of: forecast from the last close on or before this date, as if nothing later were known.
        failed: called with each ticker that cannot be forecast; without it the first failure is raised.

    Raises:
        UnknownNameError: no such run or ticker.
        InputError: a horizon beyond the trained one, or too little history.
    """
    from forecaster.inference.newest import origin_days, viewed_quantiles
    from forecaster.modelfile import read_model

    folder = runs.find_run(Path(runs_dir), run)
    if (folder / runs.CONFIG).is_file() and not (folder / runs.MODEL).is_file():
        raise InputError(f"run {folder.name} is not finished: go on with forecast train --resume {folder.name}.")
    model = read_model(folder / runs.MODEL)
    networks, config, header = model.light(), model.config, model.header
    steps = _steps(config, horizon)
    store = open_store(data_dir)
    histories: list[Bars] = []
    for ticker in normalise_all(tickers):
        try:
            store.require([ticker])
            histories.append(_history(store.read(ticker), as_of, config))
        except ForecasterError as error:
            if failed is None:
                raise
            failed(Failure(ticker, error))
    if not histories:
        return []
    panel = Panel.of(histories)
    market = known_market(folder, store, model, networks, origin_days(panel))
    candles = viewed_quantiles(networks, config, panel, market)
    return [
        _forecast(
            folder.name,
            header,
            config,
            steps,
            bars,
            quantiles,
            (*_warnings(bars, header, as_of), *_gaps(market, header, bars)),
        )
        for bars, quantiles in zip(histories, candles, strict=True)
    ]


def exit_code(forecasts: Sequence[Forecast], failures: Sequence[Failure]) -> int:
    """0 when every ticker was forecast, 3 when some were, else the failure's own code."""
    if not failures:
        return 0
    return 3 if forecasts else max(failure.error.exit_code for failure in failures)


def _gaps(market: MarketView | None, header: Header, bars: Bars) -> Iterator[str]:
    """What the run's market lacks on the day of the forecast."""
    if market is None:
        return
    origin = bars.dates[-1]
    newest = market.newest
    lacking = [ticker for ticker in header.tickers if ticker not in newest or newest[ticker] < origin]
    if lacking:
        yield (
            f"{len(lacking)} of the {len(header.tickers)} tickers whose means the run reads have no candle on {origin} "
            f"({at_most_five(lacking)}): fetch them (forecast data verify finds damaged files), or train without the "
            "market group."
        )


def _forecast(
    run: str,
    header: Header,
    config: Config,
    steps: tuple[int, ...],
    bars: Bars,
    quantiles: Float[np.ndarray, "horizon variable quantile"],
    warnings: tuple[str, ...],
) -> Forecast:
    origin, last_close = bars.dates[-1], float(bars.close[-1])
    verdict = header.scorecard["verdict"]
    sessions = next_sessions(bars.calendar, origin, steps[-1])
    return Forecast(
        ticker=bars.ticker,
        run=run,
        origin=origin,
        last_close=last_close,
        currency=bars.currency,
        steps=steps,
        dates=sessions[np.asarray(steps) - 1],
        levels=config.task.levels,
        prices=last_close * np.exp(quantiles[: len(steps)]),
        skill={
            "verdict": verdict["text"],
            "baseline": verdict["baseline"],
            "pinball_skill": verdict["pinball_skill"],
            "p_value": verdict["p_value"],
        },
        warnings=warnings,
    )


def _warnings(bars: Bars, header: Header, as_of: dt.date | None) -> Iterator[str]:
    origin = bars.dates[-1]
    if bars.ticker not in header.tickers:
        yield f"{bars.ticker} was not among the {len(header.tickers)} tickers of training."
    if str(origin) <= header.fitted_to:
        yield f"The run learnt from days up to {header.fitted_to}: a forecast from {origin} is not a test of it."
    if as_of is None and np.datetime64("today") - origin > _STALE:
        yield f"{bars.ticker}'s candles end on {origin}: fetch newer ones for a forecast of today."
    if len(bars) < _THIN:
        yield f"{bars.ticker} has only {len(bars)} candles: its volatility is hardly known."


def _steps(config: Config, horizon: int | None) -> tuple[int, ...]:
    trained = config.task.steps
    if horizon is None:
        return trained
    if not trained[0] <= horizon <= trained[-1]:
        raise InputError(
            f"--horizon is {horizon}, but the run was trained for steps {trained[0]} to {trained[-1]}: "
            "choose one of them, or train with a longer task.horizon."
        )
    return tuple(step for step in trained if step <= horizon)


def _history(bars: Bars, as_of: dt.date | None, config: Config) -> Bars:
    """What was known of a ticker, when it is enough."""
    known = bars if as_of is None else bars.between(end=np.datetime64(as_of, "D"))
    needed = max(READY_AGE + 1, config.task.context if config.task.supervision == "window" else 0)
    if len(known) < needed:
        until = f" up to {as_of}" if as_of else ""
        raise InputError(
            f"{bars.ticker} has {len(known)} candles{until}, but a forecast needs {needed}: "
            "fetch a longer history or choose a later date."
        )
    return known
