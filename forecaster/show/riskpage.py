"""A portfolio's risk as a picture (SVG, PNG) or a page (HTML): profit and loss by day, and what each holding adds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from forecaster.errors import InputError
from forecaster.files import atomic_write, check_place, write_text
from forecaster.runs.portfolio import PortfolioRisk
from forecaster.show.plot import STYLE, Axis, Box, Look, Plot, drawing, legend, picture
from forecaster.show.png import rasterised, require_resvg
from forecaster.show.risk import (
    amount,
    backtest_columns,
    backtest_words,
    figures,
    holding_columns,
    saving,
    standing,
    title,
    together,
)
from forecaster.show.svg import element
from forecaster.show.templates import Table, own, render
from forecaster.show.theme import LIGHT

_SUFFIXES = (".html", ".png", ".svg")
_FAN, _BARS, _HIGH = 520.0, 380.0, 360.0
"""Widths of the two plots of a picture, and their height."""

_TITLE, _LINE, _LETTER = 30.0, 20.0, 6.8
"""Height of a picture's title and of a line of text below, and the mean width of a letter."""

_NARROW = 380.0
"""Width of each plot on a page: on a phone its text is still to be read."""

_FITTED = """
svg.plot { max-width: 100%; height: auto; }
"""
"""Side by side, or one below the other where the page is narrow."""

_MOST = 12
"""Holdings in the picture: those that add most, up or down."""

_WIDE_BAND, _NARROW_BAND, _MEDIAN = Look("accent", opacity=0.15), Look("accent", opacity=0.3), Look("accent")
_BOTH_BANDS = Look("accent", opacity=0.405)
"""A band that lies upon the wide one: 1 − 0.85 · 0.7."""

_BAR, _ZERO = Look("other"), Look("muted", dash="2 3", width=1)


def check_risk_plot(path: Path) -> None:
    """Refuse early what could not be written later.

    Raises:
        InputError: an unknown suffix, a folder, or resvg-py is missing.
        OutsideError: there is no permission to write there.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--plot {path} ends in {path.suffix or 'nothing'}: expected .html, .png or .svg.")
    if path.suffix.lower() == ".png":
        require_resvg()
    check_place(path)


def write_risk_plot(path: Path, found: PortfolioRisk) -> None:
    """Write the picture or page atomically.

    Raises:
        OutsideError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".png":
        with atomic_write(path, named=True) as part:
            part.write_bytes(rasterised(risk_picture(found, LIGHT)))
    else:
        write_text(path, str(risk_picture(found)) if kind == ".svg" else risk_page(found), named=True)


def risk_picture(found: PortfolioRisk, palette: Mapping[str, str] | None = None) -> Markup:
    """Bands of profit and loss by day, contributions to the expected shortfall, and the figures below them.

    Args:
        palette: as in `picture`.
    """
    width, bottom = _FAN + _BARS, _TITLE + _HIGH
    texts = [*figures(found), saving(found), standing(found)]
    lines = [line for text in texts for line in textwrap.wrap(text, int((width - 16) / _LETTER))]
    parts = [
        element("text", title(found), class_="title", x=8, y=20),
        *_fan(found, _FAN, top=_TITLE),
        *_bars(found, _BARS, left=_FAN, top=_TITLE),
        *(element("text", line, x=8, y=bottom + 18 + _LINE * place) for place, line in enumerate(lines)),
    ]
    return picture(width, bottom + 16 + _LINE * len(lines), parts, palette)


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


def _fan(found: PortfolioRisk, width: float, top: float = 0.0) -> Iterator[Markup]:
    """From 0 today; 5 to 95 % and 25 to 75 %."""
    columns = {
        level: [0.0, *found.profits[:, found.levels.index(level)].tolist()] for level in (0.05, 0.25, 0.5, 0.75, 0.95)
    }
    days = list(range(found.days + 1))
    ticks = [(day, str(day)) for day in days if day % max(found.days // 5, 1) == 0]
    across = Axis(0, found.days, "sessions ahead", ticks)
    up = Axis.of([*columns[0.05], *columns[0.95]], f"profit and loss [{found.unit}]")
    plot = Plot("Profit and loss", across, up, Box(0, top, width, _HIGH - 30))
    yield from plot.frame()
    yield plot.area(days, columns[0.05], columns[0.95], _WIDE_BAND)
    yield plot.area(days, columns[0.25], columns[0.75], _NARROW_BAND)
    yield plot.rule(_ZERO, y=0.0)
    yield from plot.line(days, columns[0.5], _MEDIAN)
    bands = [("nine cases of ten", _WIDE_BAND), ("half of them", _BOTH_BANDS)]
    yield from legend(bands, 40, top + _HIGH - 26, width - 40, filled=True)


def _bars(found: PortfolioRisk, width: float, left: float = 0.0, top: float = 0.0) -> Iterator[Markup]:
    most = sorted(found.holdings, key=lambda one: -abs(one.contribution))[:_MOST]
    values = [one.contribution for one in most]
    across = Axis.of([0.0, *values], f"expected shortfall, {found.level:g}% [{found.unit}]")
    # From the top down: tickers below a bar each would run into one another.
    up = Axis(len(most) - 0.4, -0.6, "", [(place, one.ticker) for place, one in enumerate(most)])
    plot = Plot("What each holding adds", across, up, Box(left, top, width, _HIGH - 30))
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
    columns = holding_columns(found)
    return Table(f"Holdings [{found.unit}]", tuple(columns), list(zip(*columns.values(), strict=True)))


def _test_tables(found: PortfolioRisk) -> Iterator[Table]:
    if found.tests:
        columns = backtest_columns(found)
        words = " ".join(("Values at risk on past days.", *backtest_words(columns)))
        yield Table(words, tuple(columns), list(zip(*columns.values(), strict=True)))
