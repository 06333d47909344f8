"""Drawing as text: scales, ticks, and SVG elements in which every text is escaped. Nothing here knows forecasts.

    y = Scale((390.0, 460.0), (300.0, 20.0))                   # prices to pixels, upwards
    mark = element("text", "S&P", x=10, y=y(430.0), class_="muted")
    page = element("svg", mark, viewBox="0 0 400 320", role="img")

A `Markup` goes in as it is; any other text is escaped. `THEME` gives colours for light and dark pages and for print,
which classes use as `var(--ink)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

THEME = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --muted: #59636e; --grid: #e3e7eb; --line: #aab4be;
  --accent: #0a5fb4; --band: #0a5fb4; --other: #a8480a; --third: #84687a; --fourth: #171030; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e8ebee; --muted: #a0aab5;
  --grid: #2b323a; --line: #56616c; --accent: #7cbcff; --band: #4f9ff0; --other: #f0a35e; --third: #8b8b93;
  --fourth: #fbfbff; } }
"""
"""Custom properties: text colours have a contrast of 4.5 or more, and the series differ to the colour-blind."""


STACKED = """
  table.stacked, .stacked caption, .stacked tbody { display: block; }
  .stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacked tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 1.2rem; padding: .3rem 0; }
  .stacked th { grid-column: 1 / -1; padding: 0; text-align: left; }
  .stacked td { display: flex; justify-content: space-between; gap: .6rem; padding: 0; text-align: right; }
  .stacked td.wide, .stacked td.words { grid-column: 1 / -1; }
  .stacked td:not([data-head]) { justify-content: flex-start; }
  .stacked td:empty { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacked td::before { content: attr(data-head); color: var(--muted); }
"""
"""Where a table of class `stacked` is too wide: each row is a block, each cell says its column (`data-head`). As the
style takes a table's meaning from it, its elements need the `role`s that they would have by themselves."""


class Markup(str):
    """Text that is SVG or HTML already, and is not escaped again."""

    __slots__ = ()


@dataclass(frozen=True)
class Scale:
    """A line from values to pixels; a domain of no width lies in the middle."""

    domain: tuple[float, float]
    pixels: tuple[float, float]

    def __call__(self, value: float) -> float:
        (low, high), (start, end) = self.domain, self.pixels
        share = 0.5 if high == low else (value - low) / (high - low)
        return start + share * (end - start)

    def ticks(self, count: int = 5) -> list[float]:
        """As `nice_ticks` of the domain."""
        return nice_ticks(*self.domain, count)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values in [low, high], about `count`: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(place * step, digits) for place in range(first, last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """The ticks with as many digits as tell them apart, all alike: `0.9985`, `1.0000`."""
    digits = next(
        (count for count in range(10) if all(math.isclose(round(one, count), one, abs_tol=1e-12) for one in ticks)), 10
    )
    return [f"{one:,.{digits}f}" for one in ticks]


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element: `class_` is `class`, `stroke_width` is `stroke-width`; an attribute that is None is left out."""
    names = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children)
    return Markup(f"<{tag}{names}>{inner}</{tag}>" if children else f"<{tag}{names}/>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Markup after markup."""
    return Markup("".join(parts))


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
    """Path data of one candle; let the class say whether its body is filled (falling) or hollow (rising).

    Args:
        x: its middle in pixels.
        prices: open, high, low, close.
        width: of the body in pixels.
    """
    opened, high, low, closed = prices
    top, bottom = y(max(opened, closed)), y(min(opened, closed))
    left, right = x - width / 2, x + width / 2
    wicks = line([x, x], [y(high), top]) + line([x, x], [bottom, y(low)])
    return f"{wicks}{line([left, right, right, left], [top, top, bottom, bottom])}Z"


def _value(value: object) -> str:
    """Two decimals are a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
