"""What is said of a portfolio: its values, what it may lose, and which holding that comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.inference.forecast import Forecast
from forecaster.runs.portfoliotest import Tested

_NOTHING = 1e-6
"""A value below this share of the holdings, long and short alike, is a rounding error, and no base for fractions."""


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
        return base_of(self.value, [one.value for one in self.holdings])

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


def base_of(value: float, holdings: Float[np.ndarray, " holding"] | list[float]) -> float | None:
    """The value that fractions refer to; None if it is not positive, or next to nothing beside the holdings."""
    return value if value > _NOTHING * float(np.abs(holdings).sum()) else None
