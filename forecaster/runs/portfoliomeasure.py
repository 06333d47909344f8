"""Reads a portfolio's risk off joint paths of its holdings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.config.schema import LEVELS
from forecaster.inference.forecast import Forecast
from forecaster.inference.joint import JointPaths
from forecaster.positions.currencies import Rates
from forecaster.positions.holdings import Holdings
from forecaster.positions.measures import Number, contributions, drawdowns, expected_shortfall, value_at_risk
from forecaster.runs.portfolio import HoldingRisk, PortfolioRisk, base_of

_YEAR = 252


def measure(joint: JointPaths, given: Holdings, rates: Rates, level: Number) -> PortfolioRisk:
    """Read a portfolio's risk off joint paths of its holdings and of the rates that their currencies need."""
    forecasts = joint.forecasts[: len(given.amounts)]
    paths = _Profits.of(joint, given, rates)
    total, days = paths.total, paths.total.shape[1]
    holdings = _holdings(paths, forecasts, level)
    shortfall, deviation = expected_shortfall(total[:, -1], level), float(total[:, -1].std())
    base = base_of(paths.value, paths.shares * paths.start)
    fell = drawdowns(np.concatenate([np.zeros((len(total), 1)), total], axis=1))
    newest = max(forecasts, key=lambda one: one.origin)
    return PortfolioRisk(
        run=newest.run,
        origin=str(newest.origin),
        unit="%" if given.weights else rates.currency,
        value=paths.value,
        cash=paths.cash,
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
        diversification=sum(one.alone for one in holdings) - shortfall,
        drawdown=(float(np.median(fell)), float(np.quantile(fell, level / 100))),
        holdings=holdings,
        complete=not joint.behind,
        notes=(*given.notes, *joint.notes),
        forecasts=forecasts,
        **_standing(forecasts, newest),
    )


@dataclass(frozen=True, eq=False)
class _Profits:
    """Holdings along the paths, in the portfolio's unit: a currency, or per cent of the portfolio.

    Args:
        start: value of one share today, and its shares.
        last: profit of each holding by the last day.
        total: profit of all of them by each day.
    """

    start: Float[np.ndarray, " holding"]
    shares: Float[np.ndarray, " holding"]
    cash: float
    last: Float[np.ndarray, "path holding"]
    total: Float[np.ndarray, "path step"]

    @classmethod
    def of(cls, joint: JointPaths, given: Holdings, rates: Rates) -> _Profits:
        start, later = rates.converted(joint)
        amounts = np.array(list(given.amounts.values()))
        shares = 100 * amounts / start if given.weights else amounts
        total = np.einsum("pht,h->pt", later, shares) - float(shares @ start)
        cash = 100 * given.cash if given.weights else given.cash
        return cls(start, shares, cash, (later[:, :, -1] - start) * shares, total)

    @property
    def value(self) -> float:
        return float(self.shares @ self.start) + self.cash


def _holdings(paths: _Profits, forecasts: tuple[Forecast, ...], level: Number) -> tuple[HoldingRisk, ...]:
    """Each holding's own expected shortfall, and its part of the whole."""
    parts, whole = contributions(paths.last, level), expected_shortfall(paths.total[:, -1], level)
    return tuple(
        HoldingRisk(
            ticker=one.ticker,
            shares=float(paths.shares[place]),
            price=one.last_close,
            currency=one.currency,
            value=float(paths.shares[place] * paths.start[place]),
            alone=expected_shortfall(paths.last[:, place], level),
            contribution=float(parts[place]),
            share=float(parts[place] / whole) if whole else None,
        )
        for place, one in enumerate(forecasts)
    )


def _standing(forecasts: tuple[Forecast, ...], newest: Forecast) -> dict[str, Any]:
    """What the run's test says of these forecasts; nothing where the weights have seen what followed one of them."""
    tested = next((one for one in forecasts if one.skill["held"]), newest)
    seen = [one for one in forecasts if one.in_sample]
    return {
        "held": tuple(tested.skill["held"]) if not seen else (),
        "verdict": (seen[0] if seen else tested).skill["verdict"],
        "in_sample": bool(seen),
    }
