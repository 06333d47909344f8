"""Candles of pandas frames into a store, for people who work in a notebook."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.data.bars import Bars
from forecaster.data.store import Store
from forecaster.errors import DataError, InputError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

_kept: list[tempfile.TemporaryDirectory[str]] = []


def store_frame(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    data_dir: Path | str | None = None,
    currency: str | None = None,
    calendar: str | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    resample: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Put candles of pandas frames into a store, for all that takes a `data_dir`.

    Nothing is written unless every frame can be used. Frames that continue what the store holds are put to it.

    Args:
        frames: a long frame with a ticker column, what `yfinance.download` gives, or a frame for each ticker by name.
            Columns are known by the spellings that files may have; dates may stand in the index.
        data_dir: the store; without one, a folder that is removed when Python ends.
        currency: ISO code of the prices; what the store has of the ticker, else USD, if absent.
        calendar: exchange calendar of the dates; what the store has of the ticker, else XNYS, if absent.
        columns: names of columns that are not known: field → name, as in `{"close": "Price"}`.
        date_format: how dates are written, as `strftime` does, where they alone do not tell.
        resample: `day` makes daily candles where a frame has several a day.
        force: replace a longer history that the store holds.
        say: called with what was repaired or dropped, a sentence each.

    Returns:
        The store's folder.

    Raises:
        InputError, DataError: candles that cannot be used, or a store that holds a longer history.
    """
    from forecaster.data.sources import SourceOptions
    from forecaster.data.sources.given import bars_of

    store = Store(_temporary() if data_dir is None else data_dir)
    options = SourceOptions(
        currency=currency, calendar=calendar, columns=columns or {}, date_format=date_format, resample=resample
    )
    with _python_words():
        given = bars_of(frames, options, lambda ticker: _held(store, ticker))
        for bars, notes in given:
            for note in notes:
                say(f"{bars.ticker}: {note}")
            change = store.write(bars, source="frame", force=force, part=not force)
            if change.status == "kept":
                raise DataError(f"{bars.ticker}: {change.reason}.")
    return store.root


def _held(store: Store, ticker: str) -> Bars | None:
    try:
        return store.read(ticker)
    except (UnknownNameError, DataError):
        return None


@contextmanager
def _python_words() -> Iterator[None]:
    """Errors that name an argument where the command line has an option."""
    try:
        yield
    except InputError as error:
        error.args = (_python(str(error)),)
        raise


def _python(message: str) -> str:
    """`--column close=NAME` → `columns={"close": "NAME"}`, and the like."""
    message = re.sub(r"--column (\w+)=('[^']*'|\w*)", _column, message)
    message = re.sub(r"--(date-format|resample|calendar) ([\w%/.:-]*\w)", _argument, message)
    message = re.sub(r"--(currency|calendar|date-format)", lambda found: found[1].replace("-", "_"), message)
    return message.replace("--force", "force=True")


def _column(found: re.Match[str]) -> str:
    return f'columns={{"{found[1]}": "{found[2].strip(chr(39))}"}}'


def _argument(found: re.Match[str]) -> str:
    return f'{found[1].replace("-", "_")}="{found[2]}"'


def _temporary() -> str:
    _kept.append(tempfile.TemporaryDirectory(prefix="forecaster-"))
    return _kept[-1].name
