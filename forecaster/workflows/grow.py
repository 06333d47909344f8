"""Candle paths by autoregressive rollout from the last few candles of a ticker, or from a single one (1-to-N)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from forecaster.axes import Float, Shaped
from forecaster.config.schema import LEVELS, Config
from forecaster.data.calendars import next_sessions, sessions_a_year
from forecaster.data.coherence import coherent
from forecaster.data.dates import DateLike, to_day
from forecaster.data.panel import Panel
from forecaster.data.quality import Reading
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import ForecasterError, InputError, at_most_five
from forecaster.inference.forecast import Forecast, History
from forecaster.inference.volatility import annualised, expected_range, variance
from forecaster.runs.run import Run

if TYPE_CHECKING:
    from forecaster.models.network import Network

_FEW = 100
"""With fewer paths their outer quantiles are too noisy."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Sampled paths of future candles.

    Args:
        context: number of candles that were read.
        last_close: close of the origin as the source gives it; prices are on its scale.
        prices: coherent candles: open, high, low, close.
    """

    ticker: str
    run: str
    origin: np.datetime64
    context: int
    last_close: float
    currency: str
    dates: Shaped[np.ndarray, " step"]
    prices: Float[np.ndarray, "path step 4"]


def grow(
    ticker: str,
    *,
    context: int = 1,
    steps: int | None = None,
    paths: int = 100,
    seed: int = 0,
    run: str = "latest",
    as_of: DateLike | None = None,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
) -> Paths:
    """Grows candle paths from the last `context` candles of a ticker only (autoregressive rollout).

    The networks start from a zero hidden state and read these candles. Then the next candle is drawn from their
    quantiles of step 1 and fed back as the newest candle, and so on. A candle is expressed as moves from the previous
    close, so the close before the first candle is used too.

    Args:
        steps: sessions ahead, any number; the run's horizon if absent.
        as_of: grow from the last candle on or before this date.

    Raises:
        UnknownNameError: no such run or ticker.
        InputError: the run reads features that candles alone cannot give, did not learn step 1, or the history is too
            short.
    """
    (name,) = normalise_all([ticker])
    one, day = Run.find(runs_dir, run), to_day(as_of, "as_of")
    return _grow(one, open_store(data_dir), name, day, context, steps, paths, seed)[0]


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
        raise InputError(f"--context {context} grows paths: set their number, as in --paths 500.")
    if horizon is not None and horizon < 1:
        raise InputError(f"--horizon is {horizon}: expected at least 1 session.")
    one, store, day = Run.find(runs_dir, run), open_store(data_dir), to_day(as_of, "as_of")
    fitted_to = str(one.header.fitted_to)
    for ticker in normalise_all(tickers):
        try:
            grown, reading = _grow(one, store, ticker, day, context, horizon, paths, seed)
            yield _forecast(grown, reading, fitted_to)
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


def _grow(
    run: Run,
    store: Store,
    ticker: str,
    day: np.datetime64 | None,
    context: int,
    steps: int | None,
    paths: int,
    seed: int,
) -> tuple[Paths, Reading]:
    """Paths of a ticker, and its whole history up to the origin."""
    from forecaster.features.compute import compute_features
    from forecaster.features.dataset import Dataset
    from forecaster.inference.rollout import grow_paths

    _require_growing(run.config, run.name)
    reading = run.history(store, ticker, day)
    known = reading.bars
    if not 1 <= context < len(known):
        raise InputError(
            f"context is {context}, but {ticker} has {len(known)} candles, one of which gives the close before the "
            f"others: choose 1 to {max(len(known) - 1, 1)}, or fetch a longer history."
        )
    read = known.between(known.dates[-context - 1])
    panel = Panel.of([read])
    config, count = run.config, steps or run.config.task.steps[-1]
    dataset = Dataset(panel, compute_features(panel, config.features), config.task.steps)
    members = [cast("Network", member) for member in run.model.members()]
    moves = grow_paths(members, dataset, config.task.levels, count, paths, seed, config.weights)
    origin, close = read.dates[-1], float(read.close[-1])
    dates = next_sessions(reading.calendar, origin, count)
    prices = close * np.exp(moves)
    return Paths(ticker, run.name, origin, context, close, read.currency, dates, prices), reading


def _require_growing(config: Config, run: str) -> None:
    from forecaster.baselines import BASELINES
    from forecaster.features import growing_groups

    baselines = [network.name for network in config.networks if network.name in BASELINES]
    if baselines:
        raise InputError(
            f"run {run} has the member {at_most_five(baselines)}, not a network that can read its own candles: "
            "grow paths with a run of networks only, such as one_to_n."
        )
    foreign = [group for group in config.features if group not in growing_groups()]
    if foreign:
        raise InputError(
            f"run {run} reads {at_most_five(foreign)}, which a forecast candle does not have: grow paths with a run "
            f"whose features are among {', '.join(growing_groups())}, such as n_to_m_recursive."
        )
    if config.covariates:
        raise InputError(
            f"run {run} reads the covariates {at_most_five(config.covariates)}, which a forecast candle does not have: "
            "grow paths with a run without."
        )
    if config.task.steps[0] != 1:
        raise InputError(f"run {run} did not learn step 1, from which paths grow: train with task.horizon 1 or more.")
    if any(network.parameters.get("bidirectional") for network in config.networks):
        raise InputError(
            f"run {run} reads backwards too and cannot be rolled out: train with model.bidirectional false."
        )
