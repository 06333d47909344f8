"""A forecast as PNG, by matplotlib (the extra `plots`), which needs neither a browser nor a screen."""

from __future__ import annotations

import contextlib
import logging
import math
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.errors import InputError
from forecaster.files import home_for_imports
from forecaster.inference.forecast import Forecast
from forecaster.show.fan import LEGEND, RANGE, Fan, fan_of
from forecaster.show.notes import notes
from forecaster.show.svg import tick_texts

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 40
"""Tickers in one picture: more would be too small to read."""

_INK, _MUTED, _GRID, _ACCENT = "#1b1f24", "#59636e", "#e3e7eb", "#0a5fb4"
_SHADE = 0.2
_PATH: Any = {"color": _INK, "alpha": 0.3, "linewidth": 0.5}
_APART = 0.066
"""Height of a line of figures, as a share of a panel's."""

_STYLE: Any = {  # rcParams
    "font.size": 9.0,
    "font.family": "sans-serif",
    "text.color": _INK,
    "text.parse_math": False,  # a $ in a ticker's name is a $
    "axes.edgecolor": _GRID,
    "axes.linewidth": 0.8,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "grid.color": _GRID,
    "svg.hashsalt": "forecaster",
}


def require_matplotlib() -> None:
    """Raises:
    InputError: matplotlib is not installed.
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise InputError(
            "--plot to PNG needs matplotlib, which is not installed: pip install 'forecaster[plots]', "
            "or name a .html or .svg file."
        )


def write_png(forecasts: Sequence[Forecast], path: Path) -> None:
    """Draw, and write what was drawn."""
    with home_for_imports(), _unheard("matplotlib"):
        from matplotlib import font_manager, rc_context  # noqa: F401

    with rc_context(_STYLE):
        figure = figure_of(forecasts)
        title = fan_of(forecasts[0]).title
        figure.savefig(path, format="png", dpi=160, facecolor="white", metadata={"Title": title})


@contextlib.contextmanager
def _unheard(name: str) -> Iterator[None]:
    """Pass over what a library says on its log: that a user without a home has no cache is nothing to act on."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def figure_of(forecasts: Sequence[Forecast]) -> Figure:
    """One panel a ticker, up to three a row."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(forecasts), 1 if len(forecasts) < 3 else 3)
    rows = math.ceil(len(forecasts) / columns)
    size = (8.0, 4.4 * rows + 0.5) if columns == 1 else (15.0, 3.6 * rows + 0.8)
    fans = [fan_of(forecast, 66 if columns == 1 else 36) for forecast in forecasts]
    with rc_context(_STYLE):
        figure = Figure(figsize=size)
        figure.set_layout_engine("constrained", w_pad=0.08)  # inches
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, fan in zip(grid, fans, strict=False):
            _draw(axes, fan)
        for axes in grid[len(fans) :]:
            axes.set_axis_off()
        ncols = 2 if columns == 1 and any(band.held for band in fans[0].bands) else 5
        figure.legend(handles=list(_marks(fans[0])), loc="outside upper left", ncols=ncols, frameon=False, fontsize=8.5)
        said = [LEGEND, fans[0].caption, *notes(forecasts)]
        lines = [part for text in said for part in textwrap.wrap(text, int(size[0] * 15.5))]
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=8, color=_MUTED)
    return figure


def _marks(fan: Fan) -> Iterator[Artist]:
    """What the legend shows: a band lies on those around it, which makes it darker."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for place, words in enumerate(fan.band_words):
        yield Patch(color=_ACCENT, alpha=1 - (1 - _SHADE) ** (place + 1), linewidth=0, label=words)
    if fan.reach:
        yield Line2D([], [], color=_ACCENT, linewidth=0.8, dashes=(4, 2), label=f"{fan.reach.share:.0%} band {RANGE}")
    if fan.paths:
        yield Line2D([], [], label=fan.paths_words, **_PATH)


def _draw(axes: Axes, fan: Fan) -> None:
    end = fan.last + 0.5
    for band in fan.bands:
        lower, upper = ([*one, one[-1]] for one in (band.lower, band.upper))
        axes.fill_between([*fan.xs, end], lower, upper, color=_ACCENT, alpha=_SHADE, linewidth=0)
    if fan.reach:
        for one in (fan.reach.lower, fan.reach.upper):
            axes.plot([*fan.xs, end], [*one, one[-1]], color=_ACCENT, linewidth=0.8, dashes=(4, 2))
    for path in fan.paths:
        axes.plot(range(len(path)), path, **_PATH)
    axes.plot([*fan.xs, end], [*fan.median, fan.median[-1]], color=_ACCENT, linewidth=1.2)
    _candles(axes, range(fan.first, 1), fan.candles, _INK)
    _candles(axes, fan.forecast.steps, fan.forecast.point, _ACCENT)
    axes.axvline(0.5, color=_MUTED, linewidth=0.8, linestyle=":")
    _dress(axes, fan)


def _candles(axes: Axes, xs: Sequence[int], candles: np.ndarray, colour: str) -> None:
    """Hollow where the close is not below the open, else filled."""
    opened, high, low, closed = candles.T
    bottom, top = np.minimum(opened, closed), np.maximum(opened, closed)
    fills = ["white" if rose else colour for rose in closed >= opened]
    axes.vlines(xs, top, high, color=colour, linewidth=0.8, zorder=3)
    axes.vlines(xs, low, bottom, color=colour, linewidth=0.8, zorder=3)
    axes.bar(xs, top - bottom, 0.62, bottom, color=fills, edgecolor=colour, linewidth=0.8, zorder=3)


def _dress(axes: Axes, fan: Fan) -> None:
    forecast = fan.forecast
    axes.set_title(fan.title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlim(fan.first - 0.7, fan.last + 0.5)
    axes.set_ylim(*fan.bounds)
    axes.set_axisbelow(True)
    axes.grid(True)
    axes.tick_params(length=0)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    ticks = fan.ticks(7)
    axes.set_yticks(ticks, tick_texts(ticks))
    axes.set_ylabel(forecast.currency, color=_MUTED)
    axes.set_xticks([x - 0.5 for x, _ in fan.months], [words for _, words in fan.months], ha="left")
    below: dict[str, Any] = {
        "xycoords": axes.get_xaxis_transform(),
        "textcoords": "offset points",
        "va": "top",
        "annotation_clip": False,
    }
    axes.annotate(f"last close {forecast.origin}", (0.5, 0), (-2, -20), ha="right", **below)
    near = fan.last < 6  # centred there, its day would touch the origin's
    x, shift = (0.5, 6) if near else (fan.last + 0.5, 0)
    axes.annotate(str(forecast.dates[-1]), (x, 0), (shift, -20), ha="left" if near else "center", **below)
    _figures(axes, fan)


def _figures(axes: Axes, fan: Fan) -> None:
    """The last day's median and main band, beside the plot; where they would touch, the band's make room."""
    low, high = fan.bounds
    middle, apart = fan.median[-1], _APART * (high - low)
    told = [(middle, middle)]
    if fan.main:
        upper, lower = fan.main.upper[-1], fan.main.lower[-1]
        told += [(upper, max(upper, middle + apart)), (lower, min(lower, middle - apart))]
    label: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontweight": "bold"}
    for price, y in told:
        axes.text(1.008, y, fan.price(price), color=_ACCENT, **label)
