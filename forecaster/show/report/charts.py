"""Bar and line charts for a page's column, coloured by its style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from forecaster.show.scale import Scale, tick_texts
from forecaster.show.svg import MARKS, element, joined, line

Format = Callable[[float], str]
Texts = Callable[[Sequence[float]], list[str]]
"""Formats all ticks of an axis, with the same digits."""

Places = Sequence[tuple[float, str]]

WIDE = 360.0
"""Width of a chart that fills a column."""

_RIGHT, _TOP, _BOTTOM = 8.0, 8.0, 34.0


@dataclass(frozen=True)
class Series:
    """Points joined by a line; `mark` is one of `MARKS`, or empty for a mark at the line's end alone."""

    name: str
    points: Sequence[tuple[float, float]]
    mark: str = ""


def bar_chart(
    values: Sequence[float],
    label: str,
    *,
    axis: str,
    places: Places,
    write: Texts = tick_texts,
    level: float = 0.0,
    edges: Sequence[float] | None = None,
    marked: int | None = None,
    size: tuple[float, float] = (WIDE, 210.0),
) -> Markup:
    """Bars from 0; NaN leaves a gap.

    Args:
        label: for screen readers.
        axis: label of the horizontal axis.
        places: ticks from left to right; without `edges` the first bar reaches from 0 to 1.
        write: formats the ticks of the values.
        level: a value to rule the plot at.
        edges: borders of bars that are not equally wide, ascending.
        marked: index of the highlighted bar.
    """
    borders = [float(place) for place in range(len(values) + 1)] if edges is None else edges
    known = [0.0, level, *(value for value in values if math.isfinite(value))]
    ticks = round_numbers(min(known), max(known))
    texts = write(ticks)
    x, y = _scales((borders[0], borders[-1]), ticks, texts, size)
    gap = 0.14 if edges is None and len(values) <= 80 else 0.02
    parts = [*_axes(x, y, places, zip(ticks, texts, strict=True), axis)]
    for place, value in enumerate(values):
        if math.isfinite(value):
            left, right = x(borders[place]), x(borders[place + 1])
            top, bottom = sorted((y(value), y(0.0)))
            kind = "marked" if place == marked else "above" if value >= 0 else "below"
            room = gap * (right - left)
            # At least half a pixel: a bar of 0 is not a gap.
            box = {"width": right - left - 2 * room, "height": max(bottom - top, 0.5)}
            parts.append(element("rect", x=left + room, y=top, class_=f"bar {kind}", **box))
    return _whole(label, size, [*parts, _rule("level", x, y(level))])


def line_chart(
    series: Sequence[Series],
    label: str,
    *,
    axis: str,
    write: Texts = tick_texts,
    write_across: Format,
    level: float | None = None,
    base: float | None = None,
    diagonal: bool = False,
    size: tuple[float, float] = (WIDE, 210.0),
) -> Markup:
    """Lines with marks, a legend above them where there are several.

    Args:
        level: a value to rule the plot at.
        base: a value that the axis reaches, so that small changes look small.
        diagonal: draw the line y = x.
    """
    across = [x for one in series for x, _ in one.points]
    up = [y for one in series for _, y in one.points] + [one for one in (level, base) if one is not None]
    ticks = round_numbers(min(up), max(up))
    ends = (ticks[0], ticks[-1]) if diagonal else (min(across), max(across))
    texts = write(ticks)
    x, y = _scales(ends, ticks, texts, size)
    inner = [place for place in round_numbers(*ends) if ends[0] <= place <= ends[1]] or [ends[0]]
    parts = [*_axes(x, y, [(place, write_across(place)) for place in inner], zip(ticks, texts, strict=True), axis)]
    if diagonal:
        parts.append(element("path", d=line(map(x, ends), map(y, ends)), class_="level"))
    if level is not None:
        parts.append(_rule("level", x, y(level)))
    for number, one in enumerate(series):
        points = [(x(one_x), y(one_y)) for one_x, one_y in one.points]
        parts.append(element("path", d=line(*zip(*points, strict=True)), class_=f"line s{number}"))
        parts += [_mark(one.mark, number, *point) for point in (points if one.mark else points[-1:])]
    return joined([_legend(series), _whole(label, size, parts)])


def round_numbers(low: float, high: float, wanted: int = 4) -> list[float]:
    """About `wanted` round numbers, the first at or below `low` and the last at or above `high`."""
    if high <= low:
        # All values are equal: the axis needs some extent around them.
        low, high = low - abs(low or 1) / 2, high + abs(high or 1) / 2
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    size = next(factor for factor in (1, 2, 5, 10) if factor * power >= 0.75 * rough) * power
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [round(place * size, 12) for place in range(first, last + 1)]


def _scales(
    across: tuple[float, float], ticks: Sequence[float], texts: Sequence[str], size: tuple[float, float]
) -> tuple[Scale, Scale]:
    """From values to pixels, with room for the tick labels on the left."""
    left = 14 + 7.8 * max(map(len, texts))
    return Scale(across, (left, size[0] - _RIGHT)), Scale((ticks[0], ticks[-1]), (size[1] - _BOTTOM, _TOP))


def _axes(x: Scale, y: Scale, places: Places, ticks: Iterable[tuple[float, str]], axis: str) -> Iterator[Markup]:
    for tick, text in ticks:
        yield _rule("grid", x, y(tick))
        yield element("text", text, x=x.pixels[0] - 6, y=y(tick) + 4, class_="end")
    under, right = y.pixels[0], x.pixels[1]
    for place, text in places:
        kind = "end" if x(place) > right - 16 else "middle"
        yield element("text", text, x=x(place), y=under + 14, class_=kind)
    yield element("text", axis, x=sum(x.pixels) / 2, y=under + 29, class_="middle")


def _rule(kind: str, x: Scale, y: float) -> Markup:
    return element("path", d=line(x.pixels, [y, y]), class_=kind)


def _mark(kind: str, number: int, x: float, y: float) -> Markup:
    return element("path", d=f"M{x:.2f} {y:.2f}{MARKS[kind or 'circle']}", class_=f"mark s{number}")


def _legend(series: Sequence[Series]) -> Markup:
    if len(series) < 2:
        return Markup()
    items = []
    for number, one in enumerate(series):
        stroke = element("path", d="M1 6H23", class_=f"line s{number}")
        sample = element("svg", stroke, _mark(one.mark, number, 12.0, 6.0), width=24, height=12, aria_hidden="true")
        items.append(element("li", sample, one.name))
    return element("ul", *items, class_="legend")


def _whole(label: str, size: tuple[float, float], parts: Sequence[Markup]) -> Markup:
    box = f"0 0 {size[0]:g} {size[1]:g}"
    return element("svg", *parts, viewBox=box, class_="chart", role="img", aria_label=label)
