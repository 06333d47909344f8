"""The charts of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from forecaster.config.schema import VARIABLES
from forecaster.evaluation.diagnose import Diagnosis, Grouped
from forecaster.evaluation.diagnostics import Echo
from forecaster.evaluation.scorecard import Scorecard
from forecaster.show.report.charts import WIDE, Series, Texts, bar_chart, line_chart
from forecaster.show.report.ranking import ranking
from forecaster.show.scale import tick_texts
from forecaster.training.files import Curves

_NAMED = 20
"""Most tickers drawn."""

MONTHS = 36
"""Most months with a line each: more are one bar each, named by their years."""

_YEARS = 6
"""Most years named."""

_MARKS = ("circle", "square", "triangle", "diamond")


def percents(fractions: Sequence[float]) -> list[str]:
    """Ticks of skill."""
    texts = tick_texts([100 * fraction for fraction in fractions])
    return [f"{'+' * (fraction > 1e-9)}{text}%" for fraction, text in zip(fractions, texts, strict=True)]


def shown(fraction: float) -> str:
    """A skill as the label of its bar; a dash where nothing could be scored."""
    return f"{fraction:+.2%}" if math.isfinite(fraction) else "–"


def skill_by_step(card: Scorecard) -> Markup | None:
    """The model's skill over the hardest formula by sessions ahead, one line per price; None for a single step."""
    if len(card.horizon) < 2:
        return None
    series = []
    for variable, mark in zip(VARIABLES, _MARKS, strict=True):
        rows = [row for row in card.rows if row.kind == "model" and row.variable == variable and row.step != "all"]
        points = [
            (float(row.step), row.skill_pinball)
            for row in rows
            if row.baseline == card.hardest and row.skill_pinball is not None
        ]
        if points:
            series.append(Series(variable, points, mark if len(points) <= 10 else ""))
    label = f"Skill over {card.hardest} by sessions ahead, for each price."
    return (
        line_chart(series, label, axis="sessions ahead", write=percents, write_across="{:g}".format, level=0.0)
        if series
        else None
    )


def reliability(found: Diagnosis) -> Markup:
    """Share of outcomes at or below each quantile against the level that it was for."""
    series = [
        Series(name, list(zip(found.levels, map(float, shares), strict=True)), mark)
        for name, shares, mark in zip(VARIABLES, found.reached, _MARKS, strict=True)
    ]
    label = "Actual against nominal share of outcomes below each quantile; the diagonal is perfect calibration."
    return line_chart(
        *(series, label),
        axis="nominal share below the quantile",
        write=_shares,
        write_across=_share,
        diagonal=True,
        size=(WIDE, 330.0),
    )


def pit_histograms(found: Diagnosis) -> list[tuple[str, Markup]]:
    """For each price the density of outcomes between the quantiles."""
    edges = (0.0, *found.levels, 1.0)
    places = [(level, f"{level:g}") for level in (0.0, 0.5, 1.0)]
    charts = []
    for name, density in zip(VARIABLES, found.pit, strict=True):
        label = f"PIT of the {name}: how densely outcomes fell between its quantiles, 1 everywhere if calibrated."
        chart = bar_chart(
            *(density.tolist(), label),
            axis="quantile reached",
            places=places,
            level=1.0,
            edges=edges,
            size=(160.0, 150.0),
        )
        charts.append((name, chart))
    return charts


def skill_by_month(months: Grouped) -> Markup:
    """One bar per month, each with its name and figure; of many, the years are named."""
    label = "Skill by month of the forecast's origin."
    if len(months.names) <= MONTHS:
        return ranking(list(zip(months.names, months.skill.tolist(), strict=True)), label, write=shown)
    first = [place for place, name in enumerate(months.names) if name.endswith("-01")]
    years = first[:: math.ceil(len(first) / _YEARS)]
    places = [(place + 0.5, months.names[place][:4]) for place in years]
    return bar_chart(months.skill.tolist(), label, axis="January of the year", places=places, write=percents)


def skill_by_ticker(tickers: Grouped) -> Markup:
    """One bar per ticker, the best first; of many, the best and the worst."""
    known = np.flatnonzero(np.isfinite(tickers.skill))
    order = known[np.argsort(-tickers.skill[known], kind="stable")]
    ranked = [(tickers.names[place], float(tickers.skill[place])) for place in order]
    label = "Skill of each ticker, the best first."
    if len(ranked) <= _NAMED:
        return ranking(ranked, label, write=shown)
    rest = f"… {len(ranked) - _NAMED} between them …"
    label = f"Skill of the {_NAMED // 2} best and the {_NAMED // 2} worst tickers."
    return ranking(ranked[: _NAMED // 2], label, write=shown, then=(rest, ranked[-(_NAMED // 2) :]))


def left_out(tickers: Grouped) -> str:
    """The caption's addition where not all tickers are drawn."""
    count = int(np.isfinite(tickers.skill).sum())
    return "" if count <= _NAMED else f", the {_NAMED // 2} best and the {_NAMED // 2} worst; all are in the table"


def misses_by_lag(echo: Echo) -> Markup:
    """Distance of the median close from the closes before the predicted day."""
    points = [10_000 * miss for miss in echo.misses]
    places = [(lag + 0.5, str(lag)) for lag in range(0, len(points), max(1, len(points) // 8))]
    label = (
        "Mean distance of the median close from actual closes, in basis points, by sessions before the day forecast."
    )
    axis = "sessions before the day that was forecast"
    return bar_chart(points, label, axis=axis, places=places, marked=echo.nearest)


def training_loss(curves: Curves, names: Sequence[str]) -> Markup:
    """Training loss from 0 on, one line per network: it falls by little, as most of a move is chance."""
    series = [
        Series(name, [(float(point.step), point.loss) for point in curve], "circle")
        for name, curve in zip(_members(names), curves, strict=True)
    ]
    return _curve(series, "Training loss by step, from 0.", base=0.0)


def validation_skill(curves: Curves, names: Sequence[str]) -> Markup | None:
    """Validation skill beside 0, one line per network; None where it was not measured."""
    series = [
        Series(name, [(float(point.step), point.skill) for point in curve if point.skill is not None], "circle")
        for name, curve in zip(_members(names), curves, strict=True)
    ]
    if not any(one.points for one in series):
        return None
    return _curve(series, "Skill in the validation period by step, beside 0.", level=0.0, write=percents)


def _members(names: Sequence[str]) -> list[str]:
    return [name if len(names) == 1 else f"{place + 1}: {name}" for place, name in enumerate(names)]


def _curve(
    series: Sequence[Series],
    label: str,
    *,
    level: float | None = None,
    base: float | None = None,
    write: Texts = tick_texts,
) -> Markup:
    some = [one for one in series if one.points]
    axis = "optimiser step"
    return line_chart(some, label, axis=axis, write=write, write_across="{:,g}".format, level=level, base=base)


def _shares(fractions: Sequence[float]) -> list[str]:
    return [_share(fraction) for fraction in fractions]


def _share(fraction: float) -> str:
    return f"{100 * fraction:.0f}%"
