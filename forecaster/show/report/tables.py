"""The tables of a report, as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.diagnose import Diagnosis, Grouped
from forecaster.evaluation.diagnostics import Echo
from forecaster.evaluation.rows import Row
from forecaster.evaluation.scorecard import Scorecard
from forecaster.show import words
from forecaster.show.templates import Table


def percent(fraction: float | None, decimals: int = 2, sign: bool = True) -> str:
    """A share or a skill; a dash where it is missing."""
    if fraction is None or not math.isfinite(fraction):
        return "–"
    return f"{fraction:{'+' if sign else ''}.{decimals}%}"


def chance(p_value: float | None) -> str:
    """A p-value; a dash where it is missing."""
    return words.chance(p_value, "–")


def basis_points(loss: float | None) -> str:
    """A loss on log prices, in basis points; a dash where it is missing."""
    return words.basis_points(loss, "–")


def skill_table(card: Scorecard, variable: str) -> Table:
    """One price over all steps: the model against each baseline, and each baseline against the reference."""
    chosen = [row for row in card.rows if row.variable == variable and row.step == "all"]
    rows = [
        (
            row.name,
            percent(row.skill_pinball),
            chance(None if row.skill_pinball is None else row.p_value),  # no p-value of a skill that is not shown
            row.baseline or "is the reference",
            *_own(card, row),
        )
        for row in chosen
    ]
    columns = ("forecast", "skill", "p", "over", "pinball, bp", "MAE, bp", "50% held", "80% held", "90% held")
    strong = frozenset(place for place, row in enumerate(chosen) if row.kind == "model")
    caption = "Mean of the four prices" if variable == "mean" else variable.capitalize()
    return Table(caption, columns, rows, strong)


def step_table(card: Scorecard) -> Table:
    """The model's skill and held band by sessions ahead, the mean of the four prices."""
    rows = [
        (str(row.step), percent(row.skill_pinball), chance(row.p_value), percent(row.coverage80, 1, sign=False))
        for row in card.rows
        if (row.kind, row.variable, row.baseline) == ("model", "mean", card.hardest) and row.step != "all"
    ]
    columns = ("ahead", "skill", "p", "80% band held")
    return Table("By sessions ahead, the mean of the four prices", columns, rows)


def calibration_table(found: Diagnosis) -> Table:
    """Nominal level and, for each price, the share of outcomes at or below its quantile."""
    rows = [
        (percent(level, 0, sign=False), *(percent(float(share), 1, sign=False) for share in found.reached[:, place]))
        for place, level in enumerate(found.levels)
    ]
    return Table("Share of outcomes at or below each quantile", ("nominal", *VARIABLES), rows)


def grouped_table(grouped: Grouped, caption: str, head: str, best_first: bool = False) -> Table:
    """One row per group."""
    places = np.argsort(-np.nan_to_num(grouped.skill, nan=-np.inf)) if best_first else np.arange(len(grouped.names))
    rows = [
        (
            grouped.names[place],
            f"{grouped.origins[place]:,}",
            percent(float(grouped.skill[place])),
            *(() if grouped.held is None else (percent(float(grouped.held[place]), 1, sign=False),)),
        )
        for place in places
    ]
    return Table(caption, (head, "origins", "skill", *(() if grouped.held is None else ("80% band held",))), rows)


def echo_table(echoes: Sequence[Echo]) -> Table:
    """One row per step."""
    columns = ("ahead", "to the actual", "to the nearest", "nearest is", "r of moves")
    return Table("Distances of the median close, bp", columns, list(_echo_rows(echoes)))


def _echo_rows(echoes: Sequence[Echo]) -> Iterator[tuple[str, ...]]:
    for echo in echoes:
        near = echo.nearest
        where = "the actual" if not near else "last\u00a0known" if near == echo.step else f"{near} before"
        correlation = "–" if echo.correlation is None else f"{echo.correlation:+.3f}"
        distances = (basis_points(echo.misses[0]), basis_points(echo.misses[near]))
        yield (str(echo.step), *distances, where, correlation)


def _own(card: Scorecard, row: Row) -> tuple[str, ...]:
    """Columns that do not depend on the comparison, once per forecast."""
    if row.baseline not in (None, card.reference):
        return ("",) * 5
    shares = (row.coverage50, row.coverage80, row.coverage90)
    return (basis_points(row.pinball), basis_points(row.mae), *(_held(row, share) for share in shares))


def width_table(card: Scorecard) -> Table:
    """How well the model forecasts widths, against HAR or the reference."""
    names = {"range": "range of a session", "volatility": "volatility up to it", "path-range": "range up to it"}
    names |= {"touch-odds": "odds of a touch up to it", "range-rank": "tickers by range"}
    rows = [
        (
            names.get(one.quantity, one.quantity),
            str(one.step),
            percent(one.skill),
            one.baseline,
            chance(one.p_value),
            one.score,
        )
        for one in card.widths()
    ]
    return Table("How far prices move", ("width", "ahead", "skill", "over", "p", "by loss"), rows)


def _held(row: Row, share: float | None) -> str:
    """Coverage; a dash where all quantiles equal the median, as there is no band."""
    alone = row.pinball is not None and row.mae is not None and math.isclose(row.pinball, row.mae)
    return percent(None if alone else share, 1, sign=False)
