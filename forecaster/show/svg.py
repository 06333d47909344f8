"""SVG as text: elements in which every text is escaped, and path data. Nothing here knows forecasts.

    y = Scale((390.0, 460.0), (300.0, 20.0))                   # prices to pixels, upwards
    mark = element("text", "S&P", x=10, y=y(430.0), class_="muted")
    picture = element("svg", mark, viewBox="0 0 400 320", role="img")

A `Markup` is inserted as it is; any other text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from forecaster.show.scale import Scale

MARKS = {
    "circle": "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "square": "m-3 -3h6v6h-6z",
    "triangle": "m0 -4l4 7h-8z",
    "diamond": "m0 -4.5l4 4.5l-4 4.5l-4 -4.5z",
}
"""Path data of marks about the current point, by name."""


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element: `class_` becomes `class`, `stroke_width` becomes `stroke-width`; an attribute of None is omitted."""
    names = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{names}>{joined(children)}</{tag}>" if children else f"<{tag}{names}/>")


def joined(parts: Iterable[str]) -> Markup:
    """One part after the other; parts that are not markup are escaped."""
    return Markup("").join(parts)


def line(xs: Iterable[float], ys: Iterable[float]) -> str:
    """Path data through points; where one is not finite, the line breaks."""
    found, pen = [], "M"
    for x, y in zip(xs, ys, strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        found.append(f"{pen}{_value(x)} {_value(y)}")
        pen = "L"
    return "".join(found)


def band(xs: Sequence[float], lower: Sequence[float], upper: Sequence[float]) -> str:
    """Path data of the area between two lines."""
    return line([*xs, *reversed(xs)], [*upper, *reversed(lower)]) + "Z"


def candle(x: float, prices: Sequence[float], y: Scale, width: float) -> str:
    """Path data of one candle; its class decides whether the body is filled (falling) or hollow (rising).

    Args:
        x: its middle in pixels.
        prices: open, high, low, close.
        width: of the body in pixels.
    """
    opened, high, low, closed = prices
    top, bottom = y(max(opened, closed)), y(min(opened, closed))
    left, right = x - width / 2, x + width / 2
    # Two wicks, not one line from high to low, whose stroke would cross a hollow body.
    wicks = line([x, x], [y(high), top]) + line([x, x], [bottom, y(low)])
    return f"{wicks}{line([left, right, right, left], [top, top, bottom, bottom])}Z"


def _value(value: object) -> str:
    """Two decimals are a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
