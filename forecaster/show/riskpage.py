"""A portfolio's risk as a picture (SVG) or a page (HTML): profit and loss day by day, and what each holding adds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from forecaster.errors import InputError
from forecaster.files import check_place, write_text
from forecaster.runs.portfolio import PortfolioRisk
from forecaster.show.plot import STYLE, Axis, Box, Look, Plot, drawing, legend, picture
from forecaster.show.risk import amount, backtest_columns, figures, money, standing, title, together
from forecaster.show.templates import Table, own, render

_SUFFIXES = (".html", ".svg")
_FAN, _BARS, _HIGH = 520.0, 380.0, 360.0
"""Widths of the two plots of a picture, and their height."""

_NARROW = 380.0
"""Width of each plot on a page: on a phone its text is still to be read."""

_FITTED = """
svg.plot { max-width: 100%; height: auto; }
"""
"""Side by side, or one below the other where the page is narrow."""

_MOST = 12
"""Holdings in the picture: those that add most, up or down."""

_WIDE_BAND, _NARROW_BAND, _MEDIAN = Look("accent", opacity=0.15), Look("accent", opacity=0.3), Look("accent")
_BAR, _ZERO = Look("other", opacity=0.8), Look("muted", dash="2 3", width=1)


def check_risk_plot(path: Path) -> None:
    """Refuse early what could not be written later.

    Raises:
        InputError: an unknown suffix, or a folder.
        OutsideError: there is no permission to write there.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--plot {path} ends in {path.suffix or 'nothing'}: expected .html or .svg.")
    check_place(path)


def write_risk_plot(path: Path, found: PortfolioRisk) -> None:
    """Write the picture or page atomically.

    Raises:
        OutsideError: the file cannot be written.
    """
    write_text(path, str(risk_picture(found)) if path.suffix.lower() == ".svg" else risk_page(found))


def risk_picture(found: PortfolioRisk) -> Markup:
    """Bands of profit and loss by day, and contributions to the expected shortfall."""
    return picture(_FAN + _BARS, _HIGH, [*_fan(found, _FAN), *_bars(found, _BARS, left=_FAN)])


def risk_page(found: PortfolioRisk) -> str:
    """The picture with its figures as tables; it loads nothing."""
    return render(
        "risk.html",
        style=STYLE + own("page.css") + _FITTED + f"@container (max-width: 800px) {{\n{own('stacked.css')}}}\n",
        heading=title(found),
        figures=list(figures(found)),
        standing=standing(found),
        notes=found.notes,
        pictures=[drawing(_NARROW, _HIGH, [*plot(found, _NARROW)]) for plot in (_fan, _bars)],
        tables=[_holding_table(found), *_test_tables(found), _day_table(found)],
        together=together(found),
    )


def _fan(found: PortfolioRisk, width: float) -> Iterator[Markup]:
    """From 0 today; 5 to 95 % and 25 to 75 %."""
    columns = {
        level: [0.0, *found.profits[:, found.levels.index(level)].tolist()] for level in (0.05, 0.25, 0.5, 0.75, 0.95)
    }
    days = list(range(found.days + 1))
    ticks = [(day, str(day)) for day in days if day % max(found.days // 5, 1) == 0]
    across = Axis(0, found.days, "sessions ahead", ticks)
    up = Axis.of([*columns[0.05], *columns[0.95]], f"profit and loss [{found.unit}]")
    plot = Plot("Profit and loss", across, up, Box(0, 0, width, _HIGH - 30))
    yield from plot.frame()
    yield plot.area(days, columns[0.05], columns[0.95], _WIDE_BAND)
    yield plot.area(days, columns[0.25], columns[0.75], _NARROW_BAND)
    yield plot.rule(_ZERO, y=0.0)
    yield from plot.line(days, columns[0.5], _MEDIAN)
    bands = [("nine cases of ten", _WIDE_BAND), ("half of them", _NARROW_BAND)]
    yield from legend(bands, 40, _HIGH - 26, width - 40, filled=True)


def _bars(found: PortfolioRisk, width: float, left: float = 0.0) -> Iterator[Markup]:
    most = sorted(found.holdings, key=lambda one: -abs(one.contribution))[:_MOST]
    values = [one.contribution for one in most]
    across = Axis.of([0.0, *values], f"expected shortfall [{found.unit}]")
    # From the top down: tickers below a bar each would run into one another.
    up = Axis(len(most) - 0.4, -0.6, "", [(place, one.ticker) for place, one in enumerate(most)])
    plot = Plot("What each holding adds", across, up, Box(left, 0, width, _HIGH - 30))
    yield from plot.frame()
    yield plot.rule(_ZERO, x=0.0)
    for place, value in enumerate(values):
        yield plot.area([0.0, value], [place - 0.35] * 2, [place + 0.35] * 2, _BAR)


def _day_table(found: PortfolioRisk) -> Table:
    columns = ("date", "day", *(f"{level:.0%}" for level in found.levels))
    rows = [
        (date, str(day), *(amount(found, value) for value in row))
        for day, (date, row) in enumerate(zip(found.dates, found.profits.tolist(), strict=True), 1)
    ]
    return Table(f"Quantiles of profit and loss, by day [{found.unit}]", columns, rows)


def _holding_table(found: PortfolioRisk) -> Table:
    columns = ("ticker", "value", "alone", "contribution")
    rows = [
        (one.ticker, *(money(found, value) for value in (one.value, one.alone, one.contribution)))
        for one in found.holdings
    ]
    return Table("Holdings", columns, rows)


def _test_tables(found: PortfolioRisk) -> Iterator[Table]:
    if found.tests:
        columns = backtest_columns(found)
        yield Table("Values at risk on past days", tuple(columns), list(zip(*columns.values(), strict=True)))
