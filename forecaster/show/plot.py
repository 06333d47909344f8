"""Plots of numbers as SVG files, for documents: lines, marks, bands and bars on linear or logarithmic axes.

plot = Plot("Skill by step", Axis.of(steps, "sessions ahead"), Axis.of(skills, "skill [%]"), Box(0, 0, 480, 300))
picture(480, 300, [*plot.frame(), *plot.line(steps, skills, Look("accent", mark="circle"))])
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from markupsafe import Markup

from forecaster.show.scale import Scale, nice_ticks, tick_texts
from forecaster.show.svg import MARKS, band, element, line
from forecaster.show.theme import THEME, with_colours

Number = int | float

STYLE = """
.plot { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.plot text { fill: var(--ink); font-variant-numeric: tabular-nums; }
.plot .sheet { fill: var(--page); }
.plot .grid { stroke: var(--grid); fill: none; }
.plot .tick { fill: var(--muted); }
.plot .title { font-weight: 600; }
.plot .middle { text-anchor: middle; }
.plot .end { text-anchor: end; }
"""
"""For `.plot`."""
_HEAD, _FOOT, _LETTER, _IDEOGRAPH = 34.0, 46.0, 8.0, 13.5
_LEGEND_ROW = 20.0
_STYLED = re.compile(r'style="([^"]*)"')


@dataclass(frozen=True)
class Axis:
    """Values from low to high, in their units; a logarithmic axis takes positive ones alone.

    Args:
        ticks: values and their texts.
    """

    low: Number
    high: Number
    label: str
    ticks: Sequence[tuple[Number, str]]
    log: bool = False

    @classmethod
    def of(cls, values: Sequence[Number], label: str, ticks: Sequence[tuple[Number, str]] | None = None) -> Axis:
        """A linear axis as long as the values need, with round ticks if none are given."""
        low, high = min(values), max(values)
        air = 0.04 * (high - low)
        places = nice_ticks(low - air, high + air)
        chosen = list(zip(places, tick_texts(places), strict=True)) if ticks is None else ticks
        return cls(low - air, high + air, label, chosen)

    def place(self, value: Number, pixels: tuple[float, float]) -> float:
        ends = float(self.low), float(self.high)
        if self.log:
            value, ends = math.log10(value), (math.log10(self.low), math.log10(self.high))
        return Scale(ends, pixels)(float(value))


@dataclass(frozen=True)
class Look:
    """How a series is drawn: a colour of the theme, by name; `dash` as SVG has it; a mark of `MARKS`."""

    colour: str
    dash: str | None = None
    mark: str = ""
    hollow: bool = False
    width: Number = 2.0
    opacity: Number = 1.0

    @property
    def ink(self) -> str:
        return f"var(--{self.colour})"

    def path(self, data: str) -> Markup:
        return element(
            "path",
            d=data,
            style=f"stroke: {self.ink}",
            fill="none",
            stroke_width=self.width,
            stroke_dasharray=self.dash,
        )

    def at(self, x: Number, y: Number) -> Markup:
        fill = "var(--page)" if self.hollow else self.ink
        style = f"fill: {fill}; stroke: {self.ink}"
        return element("path", d=f"M{x:.1f} {y:.1f}{MARKS[self.mark]}", style=style, opacity=self.opacity)

    def area(self, data: str) -> Markup:
        return element("path", d=data, style=f"fill: {self.ink}", fill_opacity=self.opacity)


@dataclass(frozen=True)
class Box:
    """A part of the picture, in pixels."""

    left: Number
    top: Number
    width: Number
    height: Number


@dataclass(frozen=True)
class Plot:
    """One pair of axes."""

    title: str
    across: Axis
    up: Axis
    box: Box

    @property
    def _xs(self) -> tuple[float, float]:
        words = max((len(text) for _, text in self.up.ticks), default=0)
        return self.box.left + 34 + _LETTER * words, self.box.left + self.box.width - 16.0

    @property
    def _ys(self) -> tuple[float, float]:
        return self.box.top + self.box.height - _FOOT, self.box.top + _HEAD

    def x(self, value: Number) -> float:
        return self.across.place(value, self._xs)

    def y(self, value: Number) -> float:
        return self.up.place(value, self._ys)

    def frame(self) -> Iterator[Markup]:
        """Grid, ticks, labels and title."""
        (left, right), (bottom, top) = self._xs, self._ys
        for value, text in self.up.ticks:
            yield element("path", class_="grid", d=line([left, right], [self.y(value)] * 2))
            yield element("text", text, class_="tick end", x=left - 6, y=self.y(value) + 4)
        for value, text in self.across.ticks:
            yield element("text", text, class_="tick middle", x=self.x(value), y=bottom + 17)
        middle, edge = (bottom + top) / 2, self.box.left + 14
        yield element("text", self.across.label, class_="middle", x=(left + right) / 2, y=bottom + 38)
        yield element("text", self.up.label, class_="middle", transform=f"translate({edge:g} {middle:g}) rotate(-90)")
        yield element("text", self.title, class_="title", x=self.box.left + 8, y=self.box.top + 18)

    def line(self, xs: Sequence[Number], ys: Sequence[Number], look: Look, every: int = 1) -> Iterator[Markup]:
        """A line, with a mark at every `every`-th point if the look has one."""
        points = [(self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True)]
        yield look.path(line(*zip(*points, strict=True)))
        yield from (look.at(*point) for point in points[::every] if look.mark)

    def marks(self, xs: Sequence[Number], ys: Sequence[Number], look: Look) -> Iterator[Markup]:
        """Marks alone."""
        return (look.at(self.x(x), self.y(y)) for x, y in zip(xs, ys, strict=True))

    def area(self, xs: Sequence[Number], lower: Sequence[Number], upper: Sequence[Number], look: Look) -> Markup:
        """The area between two lines; a bar is one over two xs."""
        return look.area(band(*(list(map(*one)) for one in ((self.x, xs), (self.y, lower), (self.y, upper)))))

    def rule(self, look: Look, *, x: Number | None = None, y: Number | None = None) -> Markup:
        """A line across the plot at a value of either axis."""
        if x is not None:
            return look.path(line([self.x(x)] * 2, self._ys))
        assert y is not None
        return look.path(line(self._xs, [self.y(y)] * 2))

    def note(self, text: str, x: Number, y: Number) -> Markup:
        """Text beside a point."""
        return element("text", text, class_="tick", x=self.x(x) + 5, y=self.y(y) + 4)


def legend(
    entries: Sequence[tuple[str, Look]], left: Number, top: Number, width: Number, filled: bool = False
) -> list[Markup]:
    """Samples with their names, wrapped within the width.

    Args:
        filled: the samples are areas instead of lines and marks.
    """
    x, y, parts = float(left), float(top + 12), list[Markup]()
    for name, look in entries:
        wide = 34 + _wide(name) + 14
        if x > left and x + wide > left + width:
            x, y = float(left), y + _LEGEND_ROW
        if filled:
            parts.append(look.area(band([x, x + 28], [y] * 2, [y - 10] * 2)))
        elif look.width:
            parts.append(look.path(line([x, x + 28], [y - 4, y - 4])))
        if look.mark:
            parts.append(look.at(x + 14, y - 4))
        parts.append(element("text", name, x=x + 34, y=y))
        x += wide
    return parts


def _wide(text: str) -> float:
    """Pixels that a text takes, roughly; Chinese and the like take nearly two letters each."""
    return sum(_IDEOGRAPH if east_asian_width(letter) in "WF" else _LETTER for letter in text)


def picture(width: Number, height: Number, parts: Sequence[Markup], palette: Mapping[str, str] | None = None) -> Markup:
    """A complete SVG file.

    Args:
        palette: writes these colours into it; without it the picture follows the viewer's light or dark theme.
    """
    if palette is None:
        return _svg(width, height, [element("style", Markup(THEME + STYLE))], parts)
    return Markup(with_colours(_svg(width, height, [element("style", Markup(STYLE))], parts), palette))


def drawing(width: Number, height: Number, parts: Sequence[Markup]) -> Markup:
    """The same for a page, which has the theme and `STYLE` in its own style sheet: its policy forbids any within."""
    return _svg(width, height, [], [Markup(_STYLED.sub(_as_attributes, part)) for part in parts])


def _as_attributes(styled: re.Match[str]) -> str:
    """`style="fill: red; stroke: blue"` as `fill="red" stroke="blue"`."""
    return " ".join(f'{name}="{value}"' for name, value in (one.split(": ") for one in styled[1].split("; ")))


def _svg(width: Number, height: Number, head: Sequence[Markup], parts: Sequence[Markup]) -> Markup:
    return element(
        "svg",
        *head,
        element("rect", class_="sheet", width=width, height=height),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        class_="plot",
    )
