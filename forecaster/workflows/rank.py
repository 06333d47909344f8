"""Ranks tickers by how far they may move: expected range, volatility, or loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
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
        InputError: there are no tickers, the run has no such step or no bands, or no ticker can be ranked.
    """
    if by not in BY:
        raise UnknownNameError("ranking", by, BY)
    one = find(Path(runs_dir), run, say)
    request = Request(_steps(one, days), to_date(as_of, "as_of"), None, 0)
    failures = _Failures(raised=failed is None)
    names = open_store(data_dir).tickers() if tickers is None else _named(tickers)
    readings = _fetched(one, names, request, failures.add, Path(data_dir), offline, say)
    failures.report(failed, whole=not readings)
    card = one.scorecard(one.ledger(Path(data_dir)).read())
    forecasts = list(forecast_all(one, open_store(data_dir), request, readings, card))
    return _ranking(forecasts, one.name, by, days, failures)


@dataclass(frozen=True)
class _Failures:
    """Tickers that cannot be ranked, kept until it is known whether any can be.

    Args:
        raised: the first one is raised.
    """

    raised: bool
    found: list[tuple[str, ForecasterError]] = field(default_factory=list)

    def add(self, ticker: str, error: ForecasterError) -> None:
        """Keep one, or raise it."""
        if self.raised:
            raise error
        self.found.append((ticker, error))

    def report(self, failed: Failed | None, whole: bool) -> None:
        """Call `failed` with each; if no ticker is left, raise what to do, or the only reason there is."""
        if whole and len(self.found) == 1:
            raise self.found[0][1]
        if failed is not None:
            for ticker, error in self.found:
                failed(ticker, error)
        if whole:
            outside = any(isinstance(error, OutsideError) for _, error in self.found)
            kind = OutsideError if outside else InputError
            raise kind("no ticker can be ranked: fetch longer histories, or name others.")


def _steps(run: Run, days: int) -> tuple[int, ...]:
    """The run's steps, of which the days must be one.

    Raises:
        InputError: they are not, or it has no bands.
    """
    task = run.config.task
    if days not in task.steps or len(task.levels) == 1:
        raise InputError(
            f"--days is {days}, but run {run.name} has no bands of that step: choose one of {at_most_five(task.steps)}."
        )
    return task.steps


def _named(tickers: str | Sequence[str]) -> tuple[str, ...]:
    if names := normalise_all(tickers):
        return names
    raise InputError("there are no tickers: name some, or omit them for the whole store.")


def _ranking(forecasts: Sequence[Forecast], run: str, by: str, step: int, failures: _Failures) -> Ranking:
    rows = sorted((_ranked(forecast, step) for forecast in forecasts), key=lambda row: (-getattr(row, by), row.ticker))
    known = next((forecast for forecast in forecasts if forecast.widths), forecasts[0])
    return Ranking(
        run=run,
        by=by,
        step=step,
        rows=tuple(_placed(row, place) for place, row in enumerate(rows, 1)),
        in_sample=any(forecast.in_sample for forecast in forecasts),
        verdict=known.skill["verdict"],
        measures=tuple(found for found in known.widths if found.quantity == RANK),
        failures=tuple((ticker, str(error)) for ticker, error in failures.found),
    )


def _fetched(
    run: Run, names: tuple[str, ...], request: Request, fail: Failed, data_dir: Path, offline: bool, say: Say
) -> dict[str, Reading]:
    """Histories by ticker; what the store lacks is fetched first."""
    if not offline:
        names = fetch_missing(run, names, data_dir, failed=fail, say=say)
    # A store may still be empty where nothing could be fetched: the failures say more than that.
    return _readings(run, open_store(data_dir), names, request, fail) if names else {}


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
