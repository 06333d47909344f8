"""Forecasts as one HTML page: charts and the same in tables; it makes no request and runs no script but its own.

Without its script, and for many tickers, the charts are the pictures of an SVG file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from forecaster.config.schema import VARIABLES
from forecaster.inference.forecast import Forecast
from forecaster.show.chart import NARROW, STYLE, WIDE, chart, meanings
from forecaster.show.fan import Fan, day_text, fan_of
from forecaster.show.notes import notes
from forecaster.show.pagedata import page_data
from forecaster.show.templates import Table, own, render

_LARGE = 8
"""Up to this many tickers get a section each; more become cards in a grid."""

_LISTED = 40
"""More links than this are folded: on a phone they would hide what they lead to."""


@dataclass(frozen=True)
class _Section:
    """One ticker.

    Args:
        identity: its id on the page.
        answer: `Fan.answer_parts`, which must not be broken across lines; `terms` explains its figures.
        legend: samples with their words.
        large: the chart for wide screens; None on a card, which has the small one alone.
    """

    identity: str
    ticker: str
    answer: Sequence[str]
    terms: str
    notes: Sequence[str]
    legend: Sequence[tuple[list[Markup], str]]
    large: Markup | None
    small: Markup
    table: Table


def page(forecasts: Sequence[Forecast]) -> str:
    """The whole page; a few tickers have a section each, many a card each."""
    fans = [fan_of(forecast) for forecast in forecasts]
    many = len(fans) > _LARGE
    room = max(700, 70 * max(len(fan.price(fan.forecast.last_close)) for fan in fans))
    stacked = f"@container (max-width: {room}px) {{\n{own('stacked.css')}}}\n"
    return render(
        "page.html",
        style=STYLE + own("page.css") + stacked,
        script="" if many else own("pagechart.js") + own("page.js"),
        heading=_heading(fans),
        caveat=fans[0].caveat,
        notes=notes(forecasts) if many else (),
        many=many,
        folded=len(fans) > _LISTED,
        sections=[_section(fan, f"f{place}", many) for place, fan in enumerate(fans)],
        legend=list(meanings(fans[0])),
        data="" if many else Markup(page_data(fans)),
    )


def _heading(fans: Sequence[Fan]) -> str:
    if len(fans) == 1:
        return fans[0].answer()
    newest = max(fan.forecast.origin for fan in fans)
    return f"{len(fans)} tickers: forecasts after {day_text(newest)}"


def _section(fan: Fan, identity: str, card: bool) -> _Section:
    forecast = fan.forecast
    return _Section(
        identity,
        forecast.ticker,
        fan.answer_parts,
        fan.terms,
        () if card else forecast.warnings,
        list(meanings(fan)),
        None if card else chart(forecast, WIDE, f"{identity}-l", titled=False, legended=False),
        chart(forecast, NARROW, f"{identity}-s", titled=False, legended=False),
        _table(fan),
    )


def _table(fan: Fan) -> Table:
    caption = f"{fan.forecast.ticker}: median candles in {fan.forecast.currency}, and where the closes fall"
    columns = ("date", *VARIABLES, *(band.words for band in fan.bands))
    return Table(caption, columns, [_row(fan, place) for place in range(len(fan.forecast.steps))])


def _row(fan: Fan, place: int) -> tuple[str, ...]:
    prices = (fan.price(price) for price in fan.forecast.point[place].tolist())
    step = fan.forecast.steps[place]
    bands = (f"{fan.reach_text(band, place + 1)}{fan.held_text(band, step)}" for band in fan.bands)
    return (str(fan.forecast.dates[place]), *prices, *bands)
