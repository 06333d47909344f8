"""Named values as horizontal bars, with the name left and the value right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from forecaster.show.scale import Scale
from forecaster.show.svg import element, line
from forecaster.show.words import shortened

WIDTH = 360.0
_ROW = 19.0
_LETTER = 8.5
"""Upper bound of a letter's width, in pixels."""

_LONGEST = 14
"""Letters of a name that are shown; the tooltip has all."""

Ranked = Sequence[tuple[str, float]]


def ranking(
    ranked: Ranked, label: str, *, write: Callable[[float], str], then: tuple[str, Ranked] | None = None
) -> Markup:
    """Bars from a line at 0, to the right for positive values; NaN has none.

    Args:
        ranked: names and values, in order.
        label: for screen readers.
        write: formats a value.
        then: a line of text, and more bars below it.
    """
    words, more = then or ("", ())
    every = [*ranked, *more]
    left = 10 + _LETTER * max(min(len(name), _LONGEST) for name, _ in every)
    right = WIDTH - 6 - 8.0 * max(len(write(value)) for _, value in every)
    values = [0.0, *(value for _, value in every if math.isfinite(value))]
    x = Scale((min(values), max(values)), (left, right - 6))
    parts = [_bar(x, row, *one, write) for row, one in enumerate(ranked)]
    rows = len(ranked)
    if then:
        parts.append(element("text", words, x=(left + right) / 2, y=_ROW * rows + 14, class_="middle"))
        rows += 1
        parts += [_bar(x, row, *one, write) for row, one in enumerate(more, rows)]
        rows += len(more)
    zero = [line([x(0.0)] * 2, [_ROW * first, _ROW * last]) for first, last in _spans(len(ranked), rows)]
    rule = element("path", d="".join(zero), class_="level")
    box = f"0 0 {WIDTH:g} {_ROW * rows + 2:g}"
    return element("svg", *parts, rule, viewBox=box, class_="chart", role="img", aria_label=label)


def _bar(x: Scale, row: int, name: str, value: float, write: Callable[[float], str]) -> Markup:
    start, end = sorted((x(0.0), x(value))) if math.isfinite(value) else (x(0.0), x(0.0))
    y, kind = _ROW * row, "above" if value >= 0 else "below"
    return element(
        "g",
        element("title", f"{name}: {write(value)}"),
        element("text", shortened(name, _LONGEST), x=x.pixels[0] - 6, y=y + 14, class_="end"),
        element("rect", x=start, y=y + 3, width=max(end - start, 0.5), height=_ROW - 6, class_=f"bar {kind}"),
        element("text", write(value), x=WIDTH - 2, y=y + 14, class_="end"),
    )


def _spans(above: int, rows: int) -> list[tuple[int, int]]:
    """Rows that the line at 0 crosses: not the line of text."""
    return [(0, above)] if rows == above else [(0, above), (above + 1, rows)]
