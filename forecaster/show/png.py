"""SVG files in light colours as PNG, rasterised by resvg (the extra `plots`) with the package's font."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecaster.errors import InputError
from forecaster.inference.forecast import Forecast
from forecaster.show.sheet import standalone
from forecaster.show.theme import LIGHT

_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "Noto Sans"
_ZOOM = 2.0
"""Pixels of the PNG to one of the SVG, so that text is sharp on dense screens and in print."""


def require_resvg() -> None:
    """Raises:
    InputError: resvg-py is not installed.
    """
    from importlib.util import find_spec

    if find_spec("resvg_py") is None:
        raise InputError(
            "--plot to PNG needs resvg-py, which is not installed: pip install 'stock-forecaster[plots]', "
            "or name a .html or .svg file."
        )


def png(forecasts: Sequence[Forecast]) -> bytes:
    """A picture of forecasts as PNG."""
    return rasterised(standalone(forecasts, LIGHT))


def rasterised(svg: str) -> bytes:
    """The file's bytes, the same on every machine: no font but the package's own is loaded.

    Args:
        svg: with its colours written into it; resvg knows no `var(--ink)`.
    """
    from resvg_py import svg_to_bytes

    return svg_to_bytes(
        svg_string=svg,
        zoom=_ZOOM,
        skip_system_fonts=True,
        font_files=[str(file) for file in sorted(_FONTS.glob("*.ttf"))],
        font_family=_FAMILY,
        sans_serif_family=_FAMILY,
    )
