"""Forecasts as a whole SVG file: charts, legend and verdict, light and dark, without scripts or requests."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from forecaster.inference.forecast import Forecast
from forecaster.show.chart import FEW, HEIGHT, NARROW, STYLE, WIDE, chart, legend
from forecaster.show.chartframe import LETTER
from forecaster.show.fan import fan_of
from forecaster.show.notes import notes
from forecaster.show.svg import element
from forecaster.show.theme import THEME, with_colours

MOST = 40
"""Tickers in one picture: more would be too small to read."""

_STACKED = 2
"""Up to this many charts are wide and stacked; more are small, in a grid with one legend."""

_LINE = 18
"""Pixels from one line of text below the charts to the next."""


def standalone(forecasts: Sequence[Forecast], palette: Mapping[str, str] | None = None) -> Markup:
    """The file's text.

    Args:
        palette: writes these colours into the style; without it the picture follows the viewer's light or dark theme.
    """
    small = len(forecasts) > _STACKED
    # Four are 2 × 2, not three and one.
    columns = 1 if not small else 2 if len(forecasts) == 4 else 3
    width = columns * (NARROW if small else WIDE)
    head, top = legend(fan_of(forecasts[0], paths=FEW), width, 8.0) if small else ([], 0.0)
    bottom = top + HEIGHT[small] * math.ceil(len(forecasts) / columns)
    lines = list(_lines(forecasts, width))
    total = bottom + _LINE * len(lines) + 20
    return element(
        "svg",
        element("style", Markup(THEME + STYLE if palette is None else with_colours(STYLE, palette))),
        element("rect", class_="sheet", width=width, height=total),
        *head,
        *_charts(forecasts, columns, top, small),
        *(
            element("text", text, class_="muted", x=12, y=bottom + 16 + _LINE * place)
            for place, text in enumerate(lines)
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {total:g}",
        width=width,
        height=total,
        class_="chart",
    )


def _charts(forecasts: Sequence[Forecast], columns: int, top: float, small: bool) -> Iterator[Markup]:
    width, height = (NARROW if small else WIDE), HEIGHT[small]
    for place, forecast in enumerate(forecasts):
        row, column = divmod(place, columns)
        drawn = chart(forecast, width, f"c{place}", legended=not small)
        yield element("g", drawn, transform=f"translate({width * column} {top + height * row:g})")


def _lines(forecasts: Sequence[Forecast], width: int) -> Iterator[str]:
    """Run, verdict and notes, wrapped."""
    first = fan_of(forecasts[0])
    for text in (f"Run {forecasts[0].run}. {first.caveat}", *notes(forecasts)):
        yield from textwrap.wrap(text, int((width - 32) / (1.12 * LETTER)))
