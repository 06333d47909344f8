"""Ranks tickers by how far they may move: expected range, volatility, or loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forecaster.cores import thread_map
from forecaster.data.coherence import CLOSE
from forecaster.data.dates import DateLike, to_date
from forecaster.data.quality import Reading
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import ForecasterError, InputError, OutsideError, UnknownNameError, at_most_five
from forecaster.evaluation.pathodds import RANK
from forecaster.evaluation.rows import Measure
from forecaster.events import Say
from forecaster.inference.compose import Request
from forecaster.inference.forecast import Forecast
from forecaster.mapped import large_arrays_beside_store
from forecaster.runs.forecasts import forecast_all, read_history
from forecaster.runs.joint import find
from forecaster.runs.missing import Failed, fetch_missing
from forecaster.runs.run import Run

BY = ("range", "volatility", "loss")
"""What tickers can be ranked by. Not by return: the median says nothing of it."""


@dataclass(frozen=True)
class Ranked:
    """One ticker's place.

    Args:
        place: 1 is the one that may move most.
        range: expected log(high / low) of the session at the step.
        volatility: annualised, of the close over all sessions up to the step; a fraction.
        loss: fraction of the price that the close at the step falls short by, or more, in one case of 20.
    """

    place: int
    ticker: str
    origin: str
    date: str
    close: float
    currency: str
    range: float
    volatility: float
    loss: float


@dataclass(frozen=True, eq=False)
class Ranking:
    """Tickers in order.

    Args:
        by: `range`, `volatility` or `loss`.
        step: sessions ahead.
        measures: rank correlation of such a ranking in the run's test; empty if not measured, or in-sample.
        failures: ticker and reason of those that could not be ranked.
    """

    run: str
    by: str
    step: int
    rows: tuple[Ranked, ...]
    in_sample: bool
    verdict: str
    measures: tuple[Measure, ...]
    failures: tuple[tuple[str, str], ...]

    def as_data(self) -> dict[str, Any]:
        """The ranking as JSON-compatible data."""
        return {
            "run": self.run,
            "by": self.by,
            "step": self.step,
            "ranking": [asdict(one) for one in self.rows],
            "skill": {"verdict": self.verdict, "measures": [asdict(one) for one in self.measures]},
            "in_sample": self.in_sample,
        }


@large_arrays_beside_store
def rank(
    tickers: str | Sequence[str] | None = None,
    *,
    by: str = "range",
    days: int = 1,
    run: str = "latest",
    as_of: DateLike | None = None,
    offline: bool = False,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    failed: Failed | None = None,
    say: Say = lambda _: None,
) -> Ranking:
    """Ranks tickers by which may move most.

    Args:
        tickers: all of the store if absent.
        by: `range`, `volatility` or `loss`.
        days: sessions ahead: one of the run's steps.
        offline: fetch nothing; otherwise a ticker, or a covariate of the run, that the store lacks is fetched.
        failed: called with each ticker that cannot be fetched or forecast; without it the first failure is raised.

    Raises:
        UnknownNameError: no such run, or thing to rank by; offline, no such ticker.
        OutsideError: what the store lacks could not be fetched.
        InputError: the run has no such step or no bands, or no ticker can be ranked.
    """
    if by not in BY:
        raise UnknownNameError("ranking", by, BY)
    one = find(Path(runs_dir), run, say)
    task = one.config.task
    if days not in task.steps or len(task.levels) == 1:
        raise InputError(
            f"--days is {days}, but run {one.name} has no bands of that step: choose one of {at_most_five(task.steps)}."
        )
    request = Request(task.steps, to_date(as_of, "as_of"), None, 0)
    failures = list[tuple[str, ForecasterError]]()

    def fail(ticker: str, error: ForecasterError) -> None:
        if failed is None:
            raise error
        failures.append((ticker, error))

    names = open_store(data_dir).tickers() if tickers is None else normalise_all(tickers)
    if not offline:
        names = fetch_missing(one, names, Path(data_dir), failed=fail, say=say)
    store = Store(data_dir)
    readings = _readings(one, open_store(data_dir), names, request, fail) if names else {}
    if not readings and len(failures) == 1:
        raise failures[0][1]
    if failed is not None:
        for ticker, error in failures:
            failed(ticker, error)
    if not readings:
        raise _nothing(failures)
    card = one.scorecard(one.ledger(Path(data_dir)).read())
    forecasts = list(forecast_all(one, store, request, readings, card))
    rows = sorted((_ranked(forecast, days) for forecast in forecasts), key=lambda row: (-getattr(row, by), row.ticker))
    known = next((forecast for forecast in forecasts if forecast.widths), forecasts[0])
    return Ranking(
        run=one.name,
        by=by,
        step=days,
        rows=tuple(_placed(row, place) for place, row in enumerate(rows, 1)),
        in_sample=any(forecast.in_sample for forecast in forecasts),
        verdict=known.skill["verdict"],
        measures=tuple(found for found in known.widths if found.quantity == RANK),
        failures=tuple((ticker, str(error)) for ticker, error in failures),
    )


def _nothing(failures: Sequence[tuple[str, ForecasterError]]) -> ForecasterError:
    """What to say where no ticker is left; the reasons of each were reported."""
    kind = OutsideError if any(isinstance(error, OutsideError) for _, error in failures) else InputError
    return kind("no ticker can be ranked: fetch longer histories, or name others.")


def _readings(run: Run, store: Store, names: Sequence[str], request: Request, fail: Failed) -> dict[str, Reading]:
    """Histories by ticker; reports those that cannot be used."""
    covariates = run.covariates(store)

    def read(ticker: str) -> Reading | ForecasterError:
        try:
            return read_history(run, store, ticker, request, covariates)
        except ForecasterError as error:
            return error

    readings = {}
    for ticker, found in zip(names, thread_map(read, names), strict=True):
        if isinstance(found, ForecasterError):
            fail(ticker, found)
        else:
            readings[ticker] = found
    return readings


def _ranked(forecast: Forecast, step: int) -> Ranked:
    place = forecast.steps.index(step)
    return Ranked(
        place=0,
        ticker=forecast.ticker,
        origin=str(forecast.origin),
        date=str(forecast.dates[place]),
        close=forecast.last_close,
        currency=forecast.currency,
        range=float(forecast.range[place]),
        volatility=float(forecast.volatility[place]),
        loss=float(1 - forecast.prices[place, CLOSE, 0] / forecast.last_close),
    )


def _placed(row: Ranked, place: int) -> Ranked:
    return Ranked(**asdict(row) | {"place": place})
