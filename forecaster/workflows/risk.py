"""Risk of a portfolio over the next days: what it may lose, and which holding that comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import LEVELS
from forecaster.data.coherence import CLOSE
from forecaster.data.dates import DateLike, to_date
from forecaster.data.store import Store, open_store
from forecaster.events import Say
from forecaster.files import is_file
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import JointPaths, require_level
from forecaster.mapped import large_arrays_beside_store
from forecaster.positions.currencies import Rates, rates_of
from forecaster.positions.holdings import Holdings, parse_pairs, read_holdings
from forecaster.positions.measures import Number, contributions, drawdowns, expected_shortfall, value_at_risk
from forecaster.runs.joint import find, joint_paths
from forecaster.runs.portfoliotest import Tested, portfolio_test
from forecaster.runs.run import Run

PATHS = 10_000
"""Paths drawn: the worst 5 % of them are 500."""

_YEAR = 252

_NOTHING = 1e-6
"""A value below this share of the holdings, long and short alike, is a rounding error, and no base for fractions."""

Given = str | Path | Mapping[str, Number] | Sequence[str] | Holdings


@dataclass(frozen=True)
class HoldingRisk:
    """One holding's part.

    Args:
        price: last close, in its own currency.
        value: shares · price, in the portfolio's currency; negative for a short position.
        alone: expected shortfall of this holding alone.
        contribution: its part of the portfolio's expected shortfall; the parts add up.
        share: the same as a fraction of it.
    """

    ticker: str
    shares: float
    price: float
    currency: str
    value: float
    alone: float
    contribution: float
    share: float | None


@dataclass(frozen=True, eq=False)
class PortfolioRisk:
    """Risk of a portfolio. Money is in `unit`: a currency, or % of the portfolio for weights. Losses are positive.

    Args:
        origin: last day of the newest candles.
        value: of holdings and cash.
        level: of the value at risk and the expected shortfall, in per cent.
        profits: quantiles of profit and loss at `levels`, for each day.
        value_at_risk: loss by the last day that is exceeded with a probability of 100 − level %.
        expected_shortfall: mean loss over those cases.
        deviation: standard deviation of the profit by the last day.
        volatility: the same annualised, as a fraction of the value; None if that is not positive, or next to nothing.
        diversification: what the holdings' own expected shortfalls add up to beyond that of all together.
        drawdown: worst fall from a highest value within the days, closes only: median, and exceeded with 100 − level %.
        in_sample: a forecast's weights have seen the days after the origin.
        complete: all candles end on the same day.
        tests: of such values at risk on past days; empty if not asked for.
        forecasts: of the holdings, in order; data formats omit them.
    """

    run: str
    origin: str
    unit: str
    value: float
    cash: float
    days: int
    dates: tuple[str, ...]
    level: float
    paths: int
    levels: tuple[float, ...]
    profits: Float[np.ndarray, "step quantile"]
    value_at_risk: float
    expected_shortfall: float
    deviation: float
    volatility: float | None
    diversification: float
    drawdown: tuple[float, float]
    holdings: tuple[HoldingRisk, ...]
    held: tuple[dict[str, Any], ...]
    verdict: str
    in_sample: bool
    complete: bool
    notes: tuple[str, ...]
    tests: tuple[Tested, ...] = ()
    forecasts: tuple[Forecast, ...] = ()

    @property
    def base(self) -> float | None:
        """The value that fractions refer to; None if it is not positive, or next to nothing."""
        return _base(self.value, [one.value for one in self.holdings])

    def as_data(self) -> dict[str, Any]:
        """The risk as JSON-compatible data."""
        days = [
            {"day": place + 1, "date": date, "quantiles": row}
            for place, (date, row) in enumerate(zip(self.dates, self.profits.tolist(), strict=True))
        ]
        median, bad = self.drawdown
        named = ("run", "origin", "unit", "value", "cash", "days", "level", "paths", "levels")
        figures = ("value_at_risk", "expected_shortfall", "deviation", "volatility", "diversification")
        return {name: getattr(self, name) for name in named} | {
            "levels": list(self.levels),
            "profit_and_loss": days,
            **{name: getattr(self, name) for name in figures},
            "drawdown": {"median": median, "level": bad},
            "holdings": [asdict(one) for one in self.holdings],
            "skill": {"verdict": self.verdict, "held": list(self.held)},
            "in_sample": self.in_sample,
            "backtest": [asdict(one) for one in self.tests],
            "notes": list(self.notes),
        }


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
    data_dir: Path | str = "data/store",
    runs_dir: Path | str = "runs",
    say: Say = lambda _: None,
) -> PortfolioRisk:
    """Measures the risk of a portfolio by joint paths of all of its holdings.

    Args:
        holdings: a dict from ticker to shares (negative: a short position), a CSV's path, or `TICKER=SHARES` texts; the
            name `cash` is money.
        days: sessions ahead, up to the run's contiguous steps; 5 if absent, or all of a run that has fewer.
        level: of value at risk and expected shortfall, above 50 and up to 99 per cent; beyond 95 the run must have a
            fit of its tails.
        weights: the amounts are weights; results are in per cent of the portfolio, and what is short of 1 is cash.
        currency: of the results; that of the first holding if absent. Others need a rate in the store: EURUSD=X.
        backtest: also test such values at risk on past days, beside the usual ways.
        paths: number of joint paths.
        seed: of the paths.

    Raises:
        UnknownNameError: no such run, or the store lacks a ticker.
        InputError: holdings, days or level that cannot be used, or a history that is too short.
    """
    given, store = _holdings(holdings, weights), open_store(data_dir)
    one = find(Path(runs_dir), run, say)
    tickers = tuple(given.amounts)
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


def measure(joint: JointPaths, given: Holdings, rates: Rates, level: Number) -> PortfolioRisk:
    """Read a portfolio's risk off joint paths of its holdings and of the rates that their currencies need."""
    tickers = tuple(given.amounts)
    forecasts = joint.forecasts[: len(tickers)]
    start, later = rates.converted(joint)
    amounts = np.array([given.amounts[ticker] for ticker in tickers])
    shares = 100 * amounts / start if given.weights else amounts
    cash = 100 * given.cash if given.weights else given.cash
    value = float(shares @ start) + cash
    base = _base(value, shares * start)
    last = (later[:, :, -1] - start) * shares  # [path, holding]
    total = np.einsum("pht,h->pt", later, shares) - float(shares @ start)
    shortfall = expected_shortfall(total[:, -1], level)
    parts = contributions(last, level)
    alone = [expected_shortfall(last[:, place], level) for place in range(len(tickers))]
    fell = drawdowns(np.concatenate([np.zeros((len(total), 1)), total], axis=1))
    deviation = float(total[:, -1].std())
    days = total.shape[1]
    newest = max(forecasts, key=lambda one: one.origin)
    tested = next((one for one in forecasts if one.skill["held"]), newest)
    seen = [one for one in forecasts if one.in_sample]
    found = tuple(
        HoldingRisk(
            one.ticker,
            float(shares[place]),
            one.last_close,
            one.currency,
            float(shares[place] * start[place]),
            alone[place],
            float(parts[place]),
            float(parts[place] / shortfall) if shortfall else None,
        )
        for place, one in enumerate(forecasts)
    )
    return PortfolioRisk(
        run=newest.run,
        origin=str(newest.origin),
        unit="%" if given.weights else rates.currency,
        value=value,
        cash=cash,
        days=days,
        dates=tuple(map(str, newest.dates[:days])),
        level=float(level),
        paths=len(total),
        levels=LEVELS,
        profits=np.quantile(total, LEVELS, axis=0).T,
        value_at_risk=float(value_at_risk(total[:, -1], level)),
        expected_shortfall=shortfall,
        deviation=deviation,
        volatility=deviation / base * float(np.sqrt(_YEAR / days)) if base else None,
        diversification=sum(alone) - shortfall,
        drawdown=(float(np.median(fell)), float(np.quantile(fell, level / 100))),
        holdings=found,
        held=tuple(tested.skill["held"]) if not seen else (),
        verdict=(seen[0] if seen else tested).skill["verdict"],
        in_sample=bool(seen),
        complete=not joint.behind,
        notes=joint.notes,
        forecasts=forecasts,
    )


def _base(value: float, holdings: Float[np.ndarray, " holding"] | list[float]) -> float | None:
    return value if value > _NOTHING * float(np.abs(holdings).sum()) else None


def _holdings(given: Given, weights: bool) -> Holdings:
    if isinstance(given, Holdings):
        return given
    if isinstance(given, Mapping):
        return Holdings.of(given.items(), weights)
    texts = [str(given)] if isinstance(given, str | Path) else [str(one) for one in given]
    if len(texts) == 1 and is_file(Path(texts[0])):
        return read_holdings(Path(texts[0]))
    return parse_pairs(texts, weights)
