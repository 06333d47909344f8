"""Risk of a portfolio over the next days: what it may lose, and which holding that comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from forecaster.data.coherence import CLOSE
from forecaster.data.dates import DateLike, to_date
from forecaster.data.store import Store, open_store
from forecaster.events import Say
from forecaster.inference.joint import require_level
from forecaster.mapped import large_arrays_beside_store
from forecaster.positions.currencies import Rates, missing_rates, rates_of, require_currency
from forecaster.positions.given import Given, holdings_of
from forecaster.positions.measures import Number
from forecaster.runs.joint import find, joint_paths
from forecaster.runs.missing import fetch_missing
from forecaster.runs.portfolio import PortfolioRisk
from forecaster.runs.portfoliomeasure import measure
from forecaster.runs.portfoliotest import portfolio_test
from forecaster.runs.run import Run

PATHS = 10_000
"""Paths drawn: the worst 5 % of them are 500."""


@large_arrays_beside_store
def risk(
    holdings: Given,
    *,
    days: int | None = None,
    level: Number = 95,
    weights: bool = False,
    currency: str | None = None,
    backtest: bool = False,
    run: str = "latest",
    as_of: DateLike | None = None,
    paths: int = PATHS,
    seed: int = 0,
    offline: bool = False,
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> PortfolioRisk:
    """Measures the risk of a portfolio by joint paths of all of its holdings.

    Args:
        holdings: a dict or pandas Series from ticker to shares (negative: a short position), a CSV's path, or
            `TICKER=SHARES` texts; the name `cash` is money.
        days: sessions ahead, up to the run's last step; 5 if absent, or all of a run that has fewer.
        level: of value at risk and expected shortfall, above 50 and up to 99 per cent; beyond 95 the run must have a
            fit of its tails.
        weights: the amounts are weights; results are in per cent of the portfolio, and what is short of 1 is cash.
        currency: of the results; that of the first holding if absent. Others need a rate: EURUSD=X.
        backtest: also test such values at risk on past days, beside the usual ways.
        paths: number of joint paths.
        seed: of the paths.
        offline: fetch nothing; otherwise a holding, a rate or a covariate of the run that the store lacks is fetched.

    Raises:
        UnknownNameError: no such run, or, offline, no such ticker.
        OutsideError: what the store lacks could not be fetched.
        InputError: holdings, days or level that cannot be used, or a history that is too short.
    """
    require_level(level, ())
    given, one = holdings_of(holdings, weights), find(Path(runs_dir), run, say)
    tickers = tuple(given.amounts)
    if not offline:
        require_currency(currency)
        fetch_missing(one, tickers, Path(data_dir), say=say)
        fetch_missing(one, missing_rates(open_store(data_dir), tickers, currency), Path(data_dir), say=say)
    store = open_store(data_dir)
    rates = rates_of(store, tickers, currency)
    joint = joint_paths(
        one,
        store,
        rates.with_rates(tickers),
        days=days,
        count=paths,
        seed=seed,
        as_of=to_date(as_of, "as_of"),
        data_dir=Path(data_dir),
        variables=(CLOSE,),
    )
    require_level(level, joint.forecasts)
    found = measure(joint, given, rates, level)
    return _tested(found, one, store, rates) if backtest else found


def _tested(found: PortfolioRisk, run: Run, store: Store, rates: Rates) -> PortfolioRisk:
    """With tests of the same portfolio, at its weights of today, on past days."""
    tickers = tuple(one.ticker for one in found.holdings)
    columns = rates.with_rates(tickers)
    gross = sum(abs(one.value) for one in found.holdings)
    weight = np.array([one.value for one in found.holdings]) / (found.base or gross)
    rate = np.array([columns.index(one.ticker) if one.ticker else -1 for one in rates.each])
    power = np.array([-1.0 if one.inverse else 1.0 for one in rates.each])
    test = portfolio_test(run, store, columns, weight, rate, power, level=found.level, days=found.days)
    return replace(found, tests=test.rows, notes=(*found.notes, test.note))
