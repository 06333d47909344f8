"""Candles, forecasts and other results as pandas DataFrames, also in the formats of other libraries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import VARIABLES
from forecaster.data.bars import Bars
from forecaster.data.dates import DateLike, to_date
from forecaster.data.panel import Panel
from forecaster.errors import InputError, UnknownNameError
from forecaster.evaluation.scorecard import Evaluated, Scorecard
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import JointPaths
from forecaster.workflows.data import candles
from forecaster.workflows.fetch import Fetched
from forecaster.workflows.rank import Ranking

if TYPE_CHECKING:
    import pandas as pd

FORECAST_STYLES = ("long", "wide", "nixtla", "darts")
CANDLE_STYLES = ("backtesting", "nixtla", "darts", "long")


def to_frame(found: Any, style: str = "long", *, price: str = "close") -> pd.DataFrame:
    """Converts forecasts, joint paths, a run, a backtest, a scorecard, a ranking, a panel or a fetch to a DataFrame.

    A run, backtest or scorecard gives a row for each row of the skill table, a panel one for each adjusted candle, a
    fetch or a ranking one for each ticker, joint paths one for each path, ticker and step.

    Args:
        found: one of these, or a list of the same kind.
        style: `long` has a row for each ticker, step, price and level, as CSV has; `wide` has the date as index (of
            several forecasts, ticker and date), the median candle as `open`, `high`, `low`, `close`, and the 80 % band
            of the close as `lo80`, `hi80`: its quantiles 0.1 and 0.9, or NaN from a run that has no bands; `nixtla` has
            `unique_id`, `ds` and one price as `forecaster` with the bands `forecaster-lo-80`, `forecaster-hi-80`;
            `darts` has `ticker`, `date` and a column `close_q0.050` for each price and level.
        price: the price in the style `nixtla`.

    Raises:
        UnknownNameError: no such style or price.
        InputError: another type, or a list of several kinds.
    """
    import pandas as pd

    several = list(found) if isinstance(found, list | tuple) else [found]
    if not all(isinstance(one, Forecast) for one in several):
        return _table(several)
    _one_of("style", style, FORECAST_STYLES)
    _one_of("price", price, VARIABLES)
    if style == "long":
        frame = pd.DataFrame([row for one in several for row in one.as_rows()])
        return frame.astype({"origin": "datetime64[ns]", "date": "datetime64[ns]"}) if len(frame) else frame
    if style == "wide":
        return _wide(several)
    tables = [_nixtla(one, VARIABLES.index(price)) if style == "nixtla" else _darts(one) for one in several]
    return pd.concat([pd.DataFrame(table) for table in tables], ignore_index=True) if tables else pd.DataFrame()


def _table(several: Sequence[Any]) -> pd.DataFrame:
    """The table of objects that have one format only."""
    import pandas as pd

    if len({type(one) for one in several}) > 1:
        raise InputError("to_frame was given things of several kinds: give one kind at a time.")
    frame = pd.concat([pd.DataFrame(_content(one)) for one in several], ignore_index=True)
    return frame.astype({name: "datetime64[ns]" for name in ("date", "first", "last") if name in frame.columns})


@singledispatch
def _content(part: Any) -> Any:
    """Columns (a dict) or rows (a list of dicts) of a result."""
    raise InputError(f"to_frame cannot convert a {type(part).__name__}: give forecasts, a run, a backtest or a panel.")


@_content.register
def _(part: Scorecard) -> Any:
    return [asdict(row) for row in part.rows]


@_content.register
def _(part: Evaluated) -> Any:
    return _content(part.scorecard)


@_content.register
def _(part: Fetched) -> Any:
    return [asdict(part)]


@_content.register
def _(part: JointPaths) -> Any:
    return list(part.as_rows())


@_content.register
def _(part: Ranking) -> Any:
    return [asdict(row) for row in part.rows]


@_content.register
def _(part: Panel) -> Any:
    prices = dict(zip(VARIABLES, part.prices.T, strict=True))
    tickers = np.array(part.tickers)[part.ticker_of_row]
    return {"ticker": tickers, "date": part.sessions.astype("datetime64[s]"), **prices, "volume": part.volume}


def candles_frame(
    tickers: str | Sequence[str],
    style: str = "backtesting",
    *,
    origin: DateLike | None = None,
    data_dir: Path | str = "data/store",
) -> pd.DataFrame:
    """Reads candles of the store as a DataFrame, adjusted for splits and dividends.

    Args:
        style: `backtesting` has `Open High Low Close Volume` over a DatetimeIndex, of one ticker; `nixtla` has
            `unique_id`, `ds` and the close as `y`; `darts` and `long` have `ticker`, `date`, `open`, `high`, `low`,
            `close`, `volume`.
        origin: adjusted prices equal market prices on this day, as in a forecast from it; the last candle if absent.
            Volume is not adjusted.

    Raises:
        UnknownNameError: no such style, or the store does not have a ticker.
        InputError: several tickers as `backtesting`, or the store is empty.
    """
    import pandas as pd

    _one_of("style", style, CANDLE_STYLES)
    names = [tickers] if isinstance(tickers, str) else list(tickers)
    if style == "backtesting" and len(names) != 1:
        raise InputError(f"style backtesting has one ticker, but there are {len(names)}: call it for each of them.")
    histories, day = candles(names, data_dir=data_dir), to_date(origin, "origin")
    if style == "backtesting":
        return _backtesting(histories[0], day)
    return pd.concat([pd.DataFrame(_columns(one, style, day)) for one in histories], ignore_index=True)


def _one_of(kind: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownNameError(kind, name, known)


def _wide(several: Sequence[Forecast]) -> pd.DataFrame:
    """A row a date; several forecasts below each other, with the ticker as the outer level of the index."""
    import pandas as pd

    parts = [
        pd.DataFrame(_candles(one), index=pd.DatetimeIndex(one.dates.astype("datetime64[ns]"), name="date"))
        for one in several
    ]
    if len(parts) == 1:
        return parts[0]
    names = [one.ticker for one in several]
    return pd.concat(parts, keys=names, names=["ticker"]) if parts else pd.DataFrame()


def _candles(one: Forecast) -> dict[str, np.ndarray]:
    nothing = np.full(len(one.steps), np.nan)
    low, high = one.band80 or (nothing, nothing)
    return {**dict(zip(VARIABLES, one.point.T, strict=True)), "lo80": low, "hi80": high}


def _nixtla(one: Forecast, variable: int) -> dict[str, Any]:
    """Columns named as in Nixtla's libraries: a band by its coverage in percent."""
    prices = one.prices[:, variable]
    table: dict[str, Any] = {"unique_id": one.ticker, "ds": one.dates.astype("datetime64[ns]")}
    table["forecaster"] = prices[:, one.levels.index(0.5)]
    for place, level in enumerate(one.levels):
        share = round(abs(2 * level - 1) * 100)
        if share:
            table[f"forecaster-{'lo' if level < 0.5 else 'hi'}-{share}"] = prices[:, place]
    return table


def _darts(one: Forecast) -> dict[str, Any]:
    """Columns named as in darts: component and quantile level."""
    table: dict[str, Any] = {"ticker": one.ticker, "date": one.dates.astype("datetime64[ns]")}
    for variable, name in enumerate(VARIABLES):
        for place, level in enumerate(one.levels):
            table[f"{name}_q{level:.3f}"] = one.prices[:, variable, place]
    return table


def _prices(bars: Bars, origin: dt.date | None) -> Float[np.ndarray, "time 4"]:
    """Adjusted prices, scaled to the market prices of one day."""
    day = bars.dates[-1] if origin is None else np.datetime64(origin, "D")
    row = max(int(np.searchsorted(bars.dates, day, "right")) - 1, 0)
    return bars.adjusted() * (bars.close[row] / bars.adj_close[row])


def _columns(bars: Bars, style: str, origin: dt.date | None) -> dict[str, Any]:
    adjusted, dates = _prices(bars, origin), bars.dates.astype("datetime64[ns]")
    if style == "nixtla":
        return {"unique_id": bars.ticker, "ds": dates, "y": adjusted[:, VARIABLES.index("close")]}
    prices = dict(zip(VARIABLES, adjusted.T, strict=True))
    return {"ticker": bars.ticker, "date": dates, **prices, "volume": np.array(bars.volume)}


def _backtesting(bars: Bars, origin: dt.date | None) -> pd.DataFrame:
    import pandas as pd

    columns = dict(zip(("Open", "High", "Low", "Close"), _prices(bars, origin).T, strict=True))
    index = pd.DatetimeIndex(bars.dates.astype("datetime64[ns]"), name="Date")
    return pd.DataFrame(columns | {"Volume": np.array(bars.volume)}, index=index)
