"""`--plot FILE`: the suffix chooses the format; what cannot be written is refused before the forecast is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecaster.errors import InputError
from forecaster.files import atomic_write, check_place, write_text
from forecaster.inference.forecast import Forecast
from forecaster.show.png import png, require_resvg
from forecaster.show.sheet import MOST, standalone

_SUFFIXES = (".html", ".png", ".svg")


def check_plot(path: Path, tickers: int) -> None:
    """Refuse early what could not be written later.

    Raises:
        InputError: an unknown suffix, a folder, too many tickers for the format, or resvg-py is missing.
        OutsideError: there is no permission to write there.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--plot {path} ends in {path.suffix or 'nothing'}: expected .html, .png or .svg.")
    if path.suffix.lower() != ".html" and tickers > MOST:
        raise InputError(
            f"--plot {path} would hold {tickers} tickers, but {path.suffix} shows {MOST} at most: "
            "take .html, or fewer tickers."
        )
    if path.suffix.lower() == ".png":
        require_resvg()
    check_place(path)


def write_plot(path: Path, forecasts: Sequence[Forecast]) -> None:
    """Write the picture atomically.

    Raises:
        OutsideError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind == ".png":
        with atomic_write(path, named=True) as part:
            part.write_bytes(png(forecasts))
    elif kind == ".svg":
        write_text(path, standalone(forecasts), named=True)
    else:
        from forecaster.show.page import page

        write_text(path, page(forecasts), named=True)
