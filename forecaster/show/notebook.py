"""Results in a notebook: HTML for the last line of a cell, and pictures that can be saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any

from markupsafe import Markup

from forecaster.data.panel import Panel
from forecaster.errors import InputError
from forecaster.evaluation.scorecard import Scorecard
from forecaster.inference.forecast import Forecast
from forecaster.show.forecast import candle_columns
from forecaster.show.pictures import check_plot, write_plot
from forecaster.show.sheet import standalone
from forecaster.show.skill import LEGEND, comparison
from forecaster.show.svg import element, joined
from forecaster.show.words import price_text
from forecaster.workflows.backtest import Backtest
from forecaster.workflows.evaluate import Evaluation
from forecaster.workflows.report import Report
from forecaster.workflows.train import TrainedRun

_MOST = 20
"""Maximum rows of a table of tickers or months, so that a cell stays short."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One forecast's chart: the last line of a cell displays it.

    Args:
        svg: the whole file, as `forecast predict --plot` writes it.
    """

    forecast: Forecast
    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"Picture({self.forecast.ticker} after {self.forecast.origin}: {len(self.svg):,} characters of SVG)"

    def save(self, path: Path | str) -> Path:
        """Write it to a file, whose suffix chooses the format: .svg, .png, or .html with the figures as a table.

        Raises:
            InputError: another suffix, or what PNG needs is not installed.
            OutsideError: the file cannot be written.
        """
        file = Path(path)
        try:
            check_plot(file, 1)
        except InputError as error:
            raise InputError(str(error).replace("--plot to PNG", "PNG").removeprefix("--plot ")) from error
        write_plot(file, [self.forecast])
        return file


def picture(forecast: Forecast) -> Picture:
    """The chart of one forecast."""
    return Picture(forecast, str(standalone([forecast])))


def report_page(report: Report) -> str:
    """The page that `forecast report` writes."""
    from forecaster.show.report.page import render

    return render(report)


@singledispatch
def html(result: Any) -> str:
    """A result as HTML that needs no style of its own; text that is not markup is escaped."""
    raise TypeError(f"a {type(result).__name__} has no HTML")


@html.register
def _(result: Forecast) -> str:
    close = price_text(result.last_close, result.last_close)
    head = f" after {result.origin}, close {close} {result.currency}"
    columns = candle_columns(result)
    rows = list(zip(*(map(str, texts) for texts in columns.values()), strict=True))
    verdict = f"Run {result.run}. {result.skill['verdict']}"
    return _block(
        result.ticker, head, [_table(list(columns), rows), element("p", element("i", verdict))], result.warnings
    )


@html.register
def _(result: Panel) -> str:
    columns = ("ticker", "candles", "first", "last", "close", "currency", "calendar")
    rows = list(_tickers(result))
    candles, tickers = f"{len(result.sessions):,} candles", _count(len(result), "ticker")
    return _block("Panel", f" of {tickers}, {candles}", [_table(columns, rows, len(result))])


@html.register
def _(result: TrainedRun) -> str:
    return _scored(f"Run {result.folder.name}", result.scorecard, (*result.scorecard.notes, *result.notes))


@html.register
def _(result: Backtest) -> str:
    return _scored(f"Backtest of {result.name}", result.scorecard, (*result.scorecard.notes, *result.notes))


@html.register
def _(result: Evaluation) -> str:
    return _scored(f"Forecasts {result.name}", result.scorecard, (*result.scorecard.notes, *result.notes))


@html.register
def _(result: Report) -> str:
    from forecaster.show.report.tables import grouped_table

    more = []
    if result.diagnosis is not None:
        table = grouped_table(result.diagnosis.by_ticker, "", "ticker", best_first=True)
        more.append(_table(table.columns, table.rows[:_MOST], len(table.rows)))
    more.append(element("p", "The whole page, with its charts: ", element("code", "report.to_html()")))
    return _scored(f"Report on run {result.run}", result.card, (*result.card.notes, *result.notes), more)


def _tickers(panel: Panel) -> Iterator[tuple[str, ...]]:
    for place, ticker in enumerate(panel.tickers[:_MOST]):
        rows = panel.rows_of(place)
        days, close = panel.sessions[rows], float(panel.close[rows][-1])
        facts = (panel.currencies[place], panel.calendars[place])
        yield (ticker, f"{len(days):,}", str(days[0]), str(days[-1]), price_text(close, close), *facts)


def _scored(title: str, card: Scorecard, notes: Sequence[str], more: Sequence[Markup] = ()) -> str:
    verdict = [element("p", line) for line in card.verdict.lines]
    return _block(title, f": {card.brief}", [*verdict, _table(*comparison(card)), element("p", LEGEND), *more], notes)


def _block(title: str, head: str, parts: Sequence[Markup], notes: Sequence[str] = ()) -> str:
    listed = [element("ul", *(element("li", note) for note in notes))] if notes else []
    return str(element("div", element("p", element("b", title), head), *parts, *listed))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], of: int | None = None) -> Markup:
    """A table, and how many rows are left out where it shows some `of` more."""
    head = element("thead", element("tr", *(element("th", name) for name in columns)))
    body = element("tbody", *(element("tr", *(element("td", text) for text in row)) for row in rows))
    left = (of or len(rows)) - len(rows)
    return joined([element("table", head, body), *([element("p", f"and {left} more")] if left else [])])


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
