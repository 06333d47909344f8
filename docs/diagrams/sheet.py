"""A sheet for diagrams of networks: boxes, circles, arrows and texts with subscripts, in the colours of the pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from forecaster.show.svg import element, line
from forecaster.show.theme import THEME

_STYLE = """
.sketch { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans CJK SC", sans-serif; }
.sketch text { fill: var(--ink); text-anchor: middle; }
.sketch .start { text-anchor: start; }
.sketch .quiet { fill: var(--muted); font-size: 14px; }
.sketch .head { font-weight: 600; text-anchor: start; }
.sketch .sheet { fill: var(--page); }
.sketch .box { fill: var(--page); stroke: var(--ink); stroke-width: 1.5; }
.sketch .state { fill: var(--page); stroke: var(--accent); stroke-width: 2.5; }
.sketch .input { fill: var(--grid); stroke: var(--line); stroke-width: 1.5; }
.sketch .result { fill: var(--page); stroke: var(--other); stroke-width: 2.5; }
.sketch .way { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.sketch .memory { stroke: var(--accent); stroke-width: 3; fill: none; }
.sketch .wrong { stroke: var(--other); stroke-width: 2.5; stroke-dasharray: 5 4; fill: none; }
.sketch .thin { stroke: var(--line); stroke-width: 1; fill: none; }
"""
_TIPS = {"way": "ink", "memory": "accent", "wrong": "other"}
"""Arrows by their class, with the colour of the tip."""

Words = dict[str, str]
"""Texts of a diagram in another language; those that are not there stay as they are."""


class Sheet:
    """What is drawn so far; y grows downwards, all in pixels.

    Args:
        words: translations of the texts.
    """

    def __init__(self, width: float, height: float, words: Words) -> None:
        self.width, self.height, self.words = width, height, words
        self.parts: list[Markup] = []

    def box(self, x: float, y: float, width: float, height: float, text: str = "", kind: str = "box") -> None:
        """A rounded box around (x, y), with its text in the middle."""
        place = {"x": x - width / 2, "y": y - height / 2, "width": width, "height": height, "rx": 6}
        self.parts.append(element("rect", class_=kind, **place))
        self.text(x, y + 5, text)

    def circle(self, x: float, y: float, text: str = "", kind: str = "box", radius: float = 13) -> None:
        """A circle, such as an operation element by element."""
        self.parts.append(element("circle", class_=kind, cx=x, cy=y, r=radius))
        self.text(x, y + 5, text)

    def arrow(self, *points: tuple[float, float], kind: str = "way") -> None:
        """A line through the points, with a tip at the last one unless it is thin."""
        tip = f"url(#tip-{kind})" if kind in _TIPS else None
        self.parts.append(element("path", class_=kind, d=line(*zip(*points, strict=True)), marker_end=tip))

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """A text; `h_t` and `h_{t-1}` have subscripts."""
        if text:
            self.parts.append(element("text", *_spans(self.words.get(text, text)), class_=kind or None, x=x, y=y))

    def svg(self) -> Markup:
        """The whole file, which follows the viewer's light or dark."""
        tips = [
            element(
                "marker", element("path", d="M0 0L8 4L0 8z", style=f"fill: var(--{colour})"),
                id=f"tip-{kind}", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=9, markerHeight=9,
                orient="auto", markerUnits="userSpaceOnUse",
            )
            for kind, colour in _TIPS.items()
        ]  # fmt: skip
        return element(
            "svg",
            element("style", Markup(THEME + _STYLE)),
            element("defs", *tips),
            element("rect", class_="sheet", width=self.width, height=self.height),
            *self.parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            width=self.width,
            height=self.height,
            class_="sketch",
        )


def _spans(text: str) -> Sequence[str]:
    """`h_t` → h and a lowered, smaller t; back on the line after it."""
    spans: list[str] = []
    back = 0
    for plain, braced, single in re.findall(r"([^_]+)|_\{([^}]*)\}|_(.)", text):
        if plain:
            spans.append(element("tspan", plain, dy=-back) if back else plain)
            back = 0
        else:
            spans.append(element("tspan", braced or single, dy=4, font_size=11))
            back = 4
    return spans
