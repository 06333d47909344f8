"""The rows of a scorecard."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """Scores of one model or baseline, for one price and step; step `all` is the mean over steps.

    Losses are on log(price / last close), pinball = 2 × the mean over levels; skills and coverages are fractions; p is
    two-sided. `baseline` is what skills and p compare with: a model has a row for each. Figures that do not exist are
    None.
    """

    name: str
    kind: str
    variable: str
    step: int | str
    mae: float | None
    pinball: float | None
    crps: float | None
    coverage50: float | None
    coverage80: float | None
    coverage90: float | None
    direction: float | None
    baseline: str | None
    skill_mae: float | None
    skill_pinball: float | None
    dm_statistic: float | None
    p_value: float | None


@dataclass(frozen=True)
class Reliability:
    """The forecasts whose chance lay between two bounds, and how often it happened.

    Args:
        low, high: the bounds; the lower one is included.
        count: number of forecasts.
        given: their mean chance.
        happened: the share of them that came true.
    """

    low: float
    high: float
    count: int
    given: float
    happened: float


@dataclass(frozen=True)
class Measure:
    """How well a range or volatility is forecast, beside a reference.

    Args:
        quantity: `range`, log(high / low) of the session; `volatility`, the squared move from the last close to the
            session's; `path-range`, log(highest high / lowest low) of all sessions up to it; `touch-odds`, whether
            prices are touched by then; `range-rank`, the order of tickers by range.
        score: `qlike` (of the expected value), `pinball` (of the paths' quantiles), `brier`, or `1 - rank correlation`;
            lower is better.
        skill: share by which the loss is lower than the reference's.
        reliability: of chances, in ascending order; empty for anything else, and in older files.
    """

    name: str
    quantity: str
    step: int
    score: str
    loss: float | None
    baseline: str
    skill: float | None
    dm_statistic: float | None
    p_value: float | None
    reliability: tuple[Reliability, ...] = ()


def find(rows: Iterable[Row], name: str, variable: str, step: int | str, baseline: str | None) -> Row:
    """The row with these keys."""
    wanted = (name, variable, step, baseline)
    return next(row for row in rows if (row.name, row.variable, row.step, row.baseline) == wanted)


def number(value: Any) -> float | None:
    """A float that JSON can hold, or None."""
    return None if value is None or not math.isfinite(value) else float(value)
