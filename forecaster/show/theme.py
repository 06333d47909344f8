"""The palette of pages and pictures: as CSS custom properties, or written into a style for renderers without them."""

from __future__ import annotations

import re
from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#ffffff",
    "ink": "#1b1f24",
    "muted": "#59636e",
    "grid": "#e3e7eb",
    "line": "#aab4be",
    "accent": "#0a5fb4",
    "band": "#0a5fb4",
    "other": "#a8480a",
    "third": "#84687a",
    "fourth": "#171030",
    "rose": "#00796b",
    "fell": "#c2500a",
}
"""Text colours have a contrast of at least 4.5; series, and candles that rose and fell, differ to colour-blind eyes."""

DARK: Mapping[str, str] = {
    "page": "#14181d",
    "ink": "#e8ebee",
    "muted": "#a0aab5",
    "grid": "#2b323a",
    "line": "#56616c",
    "accent": "#7cbcff",
    "band": "#4f9ff0",
    "other": "#f0a35e",
    "third": "#8b8b93",
    "fourth": "#fbfbff",
    "rose": "#4fd0c0",
    "fell": "#f0904d",
}


def _properties(palette: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in palette.items())


THEME = f"""
:root {{ color-scheme: light dark; {_properties(LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_properties(DARK)} }} }}
"""
"""Light, and dark where the reader prefers it; print is light. Styles use it as `var(--ink)`."""


def with_colours(style: str, palette: Mapping[str, str]) -> str:
    """The style with `var(--ink)` replaced by the palette's colour, for renderers without custom properties."""
    return re.sub(r"var\(--([a-z]+)\)", lambda name: palette[name[1]], style)
