"""`--plot FILE`: the ending says which picture; what cannot be written is said before the forecast is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecaster.errors import InputError
from forecaster.files import atomic_write, check_place, write_text
from forecaster.inference.forecast import Forecast
from forecaster.show import plot

_ENDINGS = (".html", ".png", ".svg")


def check_plot(path: Path, tickers: int) -> None:
    """Refuse what would fail after the work was done.

    Raises:
        InputError: an ending that is none of ours, a folder, too many tickers for the format, or matplotlib is missing.
        OutsideError: the place cannot be written.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(f"--plot {path} ends in {path.suffix or 'nothing'}: expected .html, .png or .svg.")
    if path.suffix.lower() != ".html" and tickers > plot.MOST:
        raise InputError(
            f"--plot {path} would hold {tickers} tickers, but {path.suffix} shows {plot.MOST} at most: "
            "take .html, or fewer tickers."
        )
    if path.suffix.lower() == ".png":
        plot.require_matplotlib()
    check_place(path)


def write_plot(path: Path, forecasts: Sequence[Forecast]) -> None:
    """Write the picture, whole or not at all.

    Raises:
        OutsideError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".png":
        with atomic_write(path) as part:
            plot.write_png(forecasts, part)
    elif kind == ".svg":
        from forecaster.show.chart import standalone

        write_text(path, standalone(forecasts))
    else:
        from forecaster.show.page import page

        write_text(path, page(forecasts))
