"""A forecast as one HTML page: charts, the same in tables, and no request, no script, no font from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forecaster.config.schema import VARIABLES
from forecaster.inference.forecast import Forecast
from forecaster.show.chart import NARROW, STYLE, WIDE, chart
from forecaster.show.fan import LEGEND, RANGE, Fan, fan_of
from forecaster.show.notes import notes
from forecaster.show.svg import STACKED, THEME, Markup, element, joined

_LARGE = 8
"""Up to so many tickers each has a section of its own; more are cards in a grid."""

_LISTED = 40
"""More links than this are folded away."""

_PAGE = (
    """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 852px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
body.many { max-width: 1560px; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.05rem; margin: 0; }
.cards h2 { font-size: 1rem; }
p { margin: .25rem 0 .75rem; } .quiet { color: var(--muted); font-size: .9rem; }
nav { margin: 0 0 1rem; } nav a { display: inline-block; margin-right: .75rem; padding: .2rem 0; }
a { color: var(--accent); } :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
section { margin: 1.5rem 0; break-inside: avoid; container-type: inline-size;
  content-visibility: auto; contain-intrinsic-size: auto 420px; }
.cards { display: grid; gap: 1rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.cards section { margin: 0; min-width: 0; }
svg.chart { display: block; width: 100%; height: auto; }
.small { display: none; }
@media screen and (max-width: 600px) { .large { display: none; } .small { display: block; } }
details { margin-top: .25rem; } summary { cursor: pointer; color: var(--accent); padding: .2rem 0; }
.scroll { overflow-x: auto; }
caption { text-align: left; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem .25rem 0; text-align: right; white-space: nowrap; }
thead th { color: var(--muted); } tbody tr { border-top: 1px solid var(--grid); }
th:first-child { text-align: left; }
td.wide { white-space: normal; }
@container (max-width: 700px) {"""
    + STACKED
    + """}
@media print { section { content-visibility: visible; } body { padding: 0; } table { font-size: .75rem; } }
"""
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(forecasts: Sequence[Forecast]) -> str:
    """The whole page; a few tickers have a section each, many a card each."""
    fans = [fan_of(forecast) for forecast in forecasts]
    many = len(fans) > _LARGE
    sections = joined(_section(fan, f"f{place}", many) for place, fan in enumerate(fans))
    legend = f"{LEGEND} Shades hold shares of the closes, dashed lines are the 80% band {RANGE}."
    if fans[0].paths:
        legend += " Thin lines are closes of candle paths."
    body = element(
        "body",
        element("h1", _heading(fans)),
        element("p", fans[0].caption),
        *((element("p", text, class_="quiet") for text in notes(forecasts)) if many else ()),
        *([_contents(fans)] if len(fans) > 1 else []),
        element("div", sections, class_="cards") if many else sections,
        element("p", f"{legend} No investment advice." if many else "No investment advice.", class_="quiet"),
        class_="many" if many else None,
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", _heading(fans)),
        element("style", Markup(THEME + STYLE + _PAGE)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _heading(fans: Sequence[Fan]) -> str:
    first = fans[0].forecast
    if len(fans) == 1:
        return f"{first.ticker}: forecast after {first.origin}"
    newest = max(fan.forecast.origin for fan in fans)
    return f"{len(fans)} tickers: forecast after {newest}"


def _contents(fans: Sequence[Fan]) -> Markup:
    links: Iterable[Markup] = (element("a", fan.forecast.ticker, href=f"#f{place}") for place, fan in enumerate(fans))
    if len(fans) > _LISTED:  # on a phone the list would hide what it leads to
        links = (element("details", element("summary", f"All {len(fans)} tickers"), *links),)
    return element("nav", *links, aria_label="Tickers")


def _section(fan: Fan, identity: str, card: bool) -> Markup:
    forecast = fan.forecast
    notes = [element("p", text, class_="quiet") for text in forecast.warnings] if not card else []
    if card:
        charts = [chart(forecast, NARROW, f"{identity}-s", titled=False, legend=False)]
    else:
        charts = [
            element("div", chart(forecast, WIDE, f"{identity}-l", titled=False), class_="large"),
            element("div", chart(forecast, NARROW, f"{identity}-s", titled=False), class_="small"),
        ]
    return element(
        "section",
        element("h2", fan.title, id=f"{identity}-h"),
        element("p", fan.summary),
        *notes,
        *charts,
        element("details", element("summary", f"{forecast.ticker} in figures"), _table(fan)),
        id=identity,
        aria_labelledby=f"{identity}-h",
    )


def _table(fan: Fan) -> Markup:
    names = ["date", *VARIABLES, *(band.words for band in fan.bands)]
    rows = (element("tr", *_cells(fan, place), role="row") for place in range(len(fan.forecast.steps)))
    caption = element(
        "caption", f"Median candles in {fan.forecast.currency}, and where the closes fall", class_="quiet"
    )
    heads = (element("th", name, scope="col", role="columnheader") for name in names)
    whole = element(
        "table",
        caption,
        element("thead", element("tr", *heads, role="row"), role="rowgroup"),
        element("tbody", *rows, role="rowgroup"),
        class_="figures stacked",
        role="table",
    )
    return element(
        "div", whole, class_="scroll", tabindex=0, role="region", aria_label=f"{fan.forecast.ticker}, figures"
    )


def _cells(fan: Fan, place: int) -> list[Markup]:
    prices = [fan.price(price) for price in fan.forecast.point[place].tolist()]
    step = fan.forecast.steps[place]
    bands = [f"{fan.reach_text(band, place + 1)}{fan.held_text(band, step)}" for band in fan.bands]
    heads = [*VARIABLES, *(band.words for band in fan.bands)]
    date = element("th", str(fan.forecast.dates[place]), scope="row", role="rowheader")
    return [date, *(_cell(head, text) for head, text in zip(heads, (*prices, *bands), strict=True))]


def _cell(head: str, text: str) -> Markup:
    kind = None if head in VARIABLES else "wide"
    return element("td", text, role="cell", data_head=head, class_=kind)
