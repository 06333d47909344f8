"""Forecasts tickers of the store with a trained run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecaster.config.schema import Config
from forecaster.cores import thread_map
from forecaster.data.dates import DateLike, to_date
from forecaster.data.framestore import frame_store, names_or_frames
from forecaster.data.quality import Reading
from forecaster.data.store import Store, open_store
from forecaster.errors import ForecasterError, InputError
from forecaster.evaluation.journal import append_or_warn
from forecaster.evaluation.scorecard import Scorecard
from forecaster.events import Say
from forecaster.inference.compose import Request
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import require_paths, with_paths
from forecaster.mapped import Pool, large_arrays_beside_store
from forecaster.runs.folder import own_or_shipped
from forecaster.runs.forecasts import forecast_all, read_history
from forecaster.runs.missing import fetch_missing
from forecaster.runs.run import Run
from forecaster.workflows.grow import grown_forecasts

if TYPE_CHECKING:
    from forecaster.data.sources.given import Frames


@dataclass(frozen=True)
class Failure:
    """A ticker that could not be forecast, and why."""

    ticker: str
    error: ForecasterError


@large_arrays_beside_store
def predict(
    tickers: str | Sequence[str] | Frames,
    *,
    run: str = "latest",
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    horizon: int | None = None,
    as_of: DateLike | None = None,
    paths: int | None = None,
    seed: int = 0,
    context: int | None = None,
    offline: bool = False,
    failed: Callable[[Failure], None] | None = None,
    say: Say = lambda _: None,
) -> list[Forecast]:
    """Forecasts the next sessions of tickers, whether they were seen in training or not.

    A ticker that the store lacks is fetched from Yahoo first; so is a covariate of the run.

    Args:
        tickers: symbols, or a single one as text; or their candles as `store_frame` takes them, such as the result of
            `yfinance.download`, of which nothing is written to disk and the journal keeps no forecast.
        run: a folder, a name under the runs folder, `latest`, or `pretrained`, the shipped run, which also answers for
            `latest` where there is none.
        horizon: keep the trained steps up to this one.
        as_of: forecast from the last close on or before this date, as if nothing later were known.
        paths: how many coherent candle paths to draw over the contiguous steps 1, 2, …; path i of every ticker follows
            the same past date, so that the tickers move together as they do.
        seed: of the paths; the same seed draws the same paths.
        context: grow the paths from this many last candles only; see `grown_forecasts`.
        offline: fetch nothing: a ticker that the store lacks cannot be forecast.
        failed: called with each ticker that cannot be forecast; without it the first failure is raised.

    Raises:
        UnknownNameError: no such run, or, offline, no such ticker.
        OutsideError: a ticker that the store lacks could not be fetched.
        InputError: a horizon beyond the trained one, too little history, a run that cannot draw paths, or a covariate
            that, offline, the store lacks, or that ends early.
    """
    as_of = to_date(as_of, "as_of")
    names, frames = names_or_frames(tickers)
    if context is not None and frames is not None:
        raise InputError(f"context={context} grows paths from a store's candles: write the frame to one, store_frame.")
    if (chosen := own_or_shipped(Path(runs_dir), run)) != run:
        say(f"no run of your own yet: using {chosen}, a network trained on American stocks (or: forecast train demo)")
    found_run = Run.find(runs_dir, chosen)
    if not offline and frames is None:
        names = fetch_missing(found_run, names, Path(data_dir), failed=partial(_fail, failed), say=say)
        if not names:
            return []
    if context is not None:
        grown = grown_forecasts(
            names,
            context=context,
            horizon=horizon,
            paths=paths,
            seed=seed,
            run=chosen,
            as_of=as_of,
            data_dir=Path(data_dir),
            runs_dir=Path(runs_dir),
            failed=partial(_fail, failed),
        )
        return list(grown)
    request = Request(_steps(found_run.config, horizon), as_of, paths, seed)
    if paths is not None:
        require_paths(found_run.config.task.levels, request.steps, found_run.name)
    card = found_run.scorecard(found_run.ledger(Path(data_dir)).read())
    if frames is not None:
        memory, notes = frame_store(frames, Path(data_dir))
        made = _made(found_run, memory, tuple(memory.given), request, card, failed)
        return [replace(one, warnings=(*one.warnings, *notes.get(one.ticker, ()))) for one in made]
    made = _made(found_run, open_store(data_dir), names, request, card, failed)
    return append_or_warn(found_run.runs_dir, found_run.model.path, made, as_of is not None)


def _made(
    run: Run,
    store: Store,
    names: Sequence[str],
    request: Request,
    card: Scorecard,
    failed: Callable[[Failure], None] | None,
) -> list[Forecast]:
    """Forecasts of tickers of a store, in the order of their names."""
    covariates = run.covariates(store)

    def history(ticker: str) -> Reading | Failure:
        try:
            return read_history(run, store, ticker, request, covariates)
        except ForecasterError as error:
            return Failure(ticker, error)

    histories: dict[str, Reading] = {}
    pool = Pool()
    for ticker, found in zip(names, thread_map(history, names), strict=True):
        if isinstance(found, Failure):
            _fail(failed, found.ticker, found.error)
        else:
            histories[ticker] = replace(found, bars=found.bars.kept(pool))
    made = {one.ticker: one for one in forecast_all(run, store, request, histories, card)}
    for ticker in [ticker for ticker, one in made.items() if not _is_finite(one)]:
        del histories[ticker]
        reason = f"run {run.name} gives it prices that are no numbers: its weights or these candles are beyond measure"
        _fail(failed, ticker, InputError(f"{ticker} cannot be forecast: {reason}; name another run."))
    forecasts = [made[ticker] for ticker in histories]
    if not forecasts or request.paths is None:
        return forecasts
    return with_paths(forecasts, [one.bars for one in histories.values()], request.paths, request.seed)


def _is_finite(one: Forecast) -> bool:
    return bool(np.isfinite(one.prices).all()) and bool((one.prices > 0).all())


def _fail(failed: Callable[[Failure], None] | None, ticker: str, error: ForecasterError) -> None:
    if failed is None:
        raise error
    failed(Failure(ticker, error))


def exit_code(forecasts: Sequence[Forecast], failures: Sequence[Failure]) -> int:
    """0 if every ticker was forecast, 3 if some were, else the failure's own code."""
    if not failures:
        return 0
    return 3 if forecasts else max(failure.error.exit_code for failure in failures)


def _steps(config: Config, horizon: int | None) -> tuple[int, ...]:
    trained = config.task.steps
    if horizon is None:
        return trained
    if not trained[0] <= horizon <= trained[-1]:
        raise InputError(
            f"--horizon is {horizon}, but the run was trained for steps {_as_text(trained)}: "
            "choose one of them, or train with a longer task.horizon."
        )
    return tuple(step for step in trained if step <= horizon)


def _as_text(steps: tuple[int, ...]) -> str:
    whole = steps == tuple(range(steps[0], steps[-1] + 1)) and len(steps) > 2
    return f"{steps[0]} to {steps[-1]}" if whole else ", ".join(map(str, steps))
