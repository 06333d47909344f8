"""Results of the workflows, except forecasts, as columns or rows of a table."""

from __future__ import annotations

from dataclasses import asdict
from functools import singledispatch
from typing import Any

import numpy as np

from forecaster.data.panel import Panel
from forecaster.errors import InputError
from forecaster.evaluation.scorecard import Scorecard
from forecaster.workflows.backtest import Backtest
from forecaster.workflows.fetch import Fetched
from forecaster.workflows.train import TrainedRun


@singledispatch
def columns(part: Any) -> Any:
    """Columns (a dict) or rows (a list of dicts) of a result."""
    raise InputError(f"to_frame cannot convert a {type(part).__name__}: give forecasts, a run, a backtest or a panel.")


@columns.register
def _(part: Scorecard) -> Any:
    return [asdict(row) for row in part.rows]


@columns.register(TrainedRun)
@columns.register(Backtest)
def _(part: TrainedRun | Backtest) -> Any:
    return columns(part.scorecard)


@columns.register
def _(part: Fetched) -> Any:
    return [asdict(part)]


@columns.register
def _(part: Panel) -> Any:
    prices = dict(zip(("open", "high", "low", "close"), part.prices.T, strict=True))
    tickers = np.array(part.tickers)[part.ticker_of_row]
    return {"ticker": tickers, "date": part.sessions.astype("datetime64[s]"), **prices, "volume": part.volume}
