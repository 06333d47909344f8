"""Candles of pandas frames into a store, for people who work in a notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.data.store import Store
from forecaster.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_kept: list[tempfile.TemporaryDirectory[str]] = []


def store_frame(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    data_dir: Path | str | None = None,
    currency: str = "USD",
    calendar: str = "XNYS",
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Put candles of pandas frames into a store, for all that takes a `data_dir`.

    Nothing is written unless every frame can be used.

    Args:
        frames: a long frame with a ticker column, what `yfinance.download` gives, or a frame for each ticker by name.
            Columns are known by the spellings that files may have; dates may stand in the index.
        data_dir: the store; without one, a folder that is removed when Python ends.
        currency: ISO code of the prices.
        calendar: exchange calendar of the dates.
        force: replace a longer history that the store holds.
        say: called with what was repaired or dropped, a sentence each.

    Returns:
        The store's folder.

    Raises:
        InputError, DataError: candles that cannot be used, or a store that holds a longer history.
    """
    from forecaster.data.sources.given import bars_of

    given = bars_of(frames, currency, calendar)
    store = Store(_temporary() if data_dir is None else data_dir)
    for bars, notes in given:
        for note in notes:
            say(f"{bars.ticker}: {note}")
        change = store.write(bars, source="frame", force=force)
        if change.status == "kept":
            raise DataError(f"{bars.ticker}: {change.reason.replace('--force', 'force=True')}.")
    return store.root


def _temporary() -> str:
    _kept.append(tempfile.TemporaryDirectory(prefix="forecaster-"))
    return _kept[-1].name
