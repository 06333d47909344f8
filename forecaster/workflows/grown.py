"""Forecasts from the quantiles of grown paths (1-to-N): see `grow`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from forecaster.config.schema import LEVELS
from forecaster.data.calendars import sessions_a_year
from forecaster.data.coherence import coherent
from forecaster.data.quality import Reading
from forecaster.data.store import open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import ForecasterError, InputError
from forecaster.inference.forecast import Forecast, History
from forecaster.inference.volatility import annualised, expected_range, variance
from forecaster.runs.run import Run
from forecaster.workflows.grow import Paths, grow

_FEW = 100
"""With fewer paths their outer quantiles are too noisy."""


def grown_forecasts(
    tickers: str | Sequence[str],
    *,
    context: int,
    horizon: int | None,
    paths: int | None,
    seed: int,
    run: str,
    as_of: dt.date | None,
    data_dir: Path,
    runs_dir: Path,
    failed: Callable[[str, ForecasterError], None],
) -> Iterator[Forecast]:
    """Yields one forecast for each ticker from its last `context` candles only, marked as untested.

    Args:
        horizon: sessions ahead, any number; the run's horizon if absent.
        failed: called with each ticker that cannot be forecast.

    Raises:
        InputError: the number of paths is missing.
        UnknownNameError: no such run.
    """
    if paths is None:
        raise InputError(f"--context {context} grows paths: say how many, as in --paths 500.")
    if horizon is not None and horizon < 1:
        raise InputError(f"--horizon is {horizon}: expected at least 1 session.")
    one, store = Run.find(runs_dir, run), open_store(data_dir)
    fitted_to = str(one.header.fitted_to)
    for ticker in normalise_all(tickers):
        try:
            grown = grow(
                ticker,
                context=context,
                steps=horizon,
                paths=paths,
                seed=seed,
                run=run,
                as_of=as_of,
                data_dir=data_dir,
                runs_dir=runs_dir,
            )
            yield _forecast(grown, one.history(store, grown.ticker, grown.origin), fitted_to)
        except ForecasterError as error:
            failed(ticker, error)


def _forecast(grown: Paths, reading: Reading, fitted_to: str) -> Forecast:
    moves = np.log(grown.prices / grown.last_close)
    quantiles = coherent(np.moveaxis(np.quantile(moves, LEVELS, axis=0), 0, -1))
    steps = tuple(range(1, len(quantiles) + 1))
    candles = "candle" if grown.context == 1 else f"{grown.context} candles"
    untested = f"Not tested: these paths grew from the last {candles} alone; the run's test is of whole histories."
    few = f"The bands are quantiles of {len(moves)} paths: draw more with --paths for steadier ones."
    return Forecast(
        ticker=grown.ticker,
        run=grown.run,
        origin=grown.origin,
        last_close=grown.last_close,
        currency=grown.currency,
        steps=steps,
        dates=grown.dates,
        levels=LEVELS,
        prices=grown.last_close * np.exp(quantiles),
        history=History.of(reading.bars),
        skill={"verdict": untested, "baseline": None, "pinball_skill": None, "p_value": None, "held": []},
        warnings=(*reading.notes, few) if len(moves) < _FEW else reading.notes,
        weights="evaluated",
        fitted_to=fitted_to,
        range=expected_range(quantiles, LEVELS),
        volatility=annualised(variance(quantiles, LEVELS), steps, sessions_a_year(reading.calendar)),
        paths=grown.prices,
    )
