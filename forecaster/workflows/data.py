"""Lists, reads and exports the candles of the store, and stores those of pandas DataFrames."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.data.bars import Bars
from forecaster.data.candlefile import Record
from forecaster.data.dates import DateLike, to_day
from forecaster.data.export import EXPORTS
from forecaster.data.panel import Panel, read_panel
from forecaster.data.store import Store, open_store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

_temporary_folders: list[tempfile.TemporaryDirectory[str]] = []


@dataclass(frozen=True)
class Listing:
    """The tickers of the store; `damaged` has one message for each file that cannot be read."""

    records: tuple[Record, ...]
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """The exported file: sizes of the tensors, and how many of their cells are real candles."""

    file: str
    tickers: int
    dates: int
    first: str
    last: str
    candles: int
    fingerprint: str


def listing(data_dir: Path | str = "data/store") -> Listing:
    """Describes each ticker of the store from its file's footer, without reading the candles.

    Raises:
        InputError: the store is empty.
    """
    store = open_store(data_dir)
    records: list[Record] = []
    damaged: list[str] = []
    for ticker in store.tickers():
        try:
            records.append(store.record(ticker))
        except DataError as error:
            damaged.append(str(error))
    return Listing(tuple(records), tuple(damaged))


def candles(tickers: str | Sequence[str], *, rows: int = 0, data_dir: Path | str = "data/store") -> list[Bars]:
    """The last `rows` candles of each ticker; 0 for all.

    Raises:
        InputError: the store is empty, or a symbol is invalid.
        UnknownNameError, DataError: a ticker is not in the store or its file is damaged.
    """
    store = open_store(data_dir)
    histories = [store.read(ticker) for ticker in store.require(normalise_all(tickers))]
    return [one.between(one.dates[-rows]) if 0 < rows < len(one) else one for one in histories]


def export(
    to: str,
    tickers: str | Sequence[str] = (),
    *,
    output: Path | str | None = None,
    data_dir: Path | str = "data/store",
) -> Exported:
    """Writes the panel of tickers (all if none is named) as `npz` or `safetensors`, atomically.

    Args:
        output: the file; `panel.npz` or `panel.safetensors` in the current folder if absent.

    Raises:
        UnknownNameError: no such format, or a ticker that the store does not have.
        InputError, DataError: the store is empty, or one of its files is damaged.
        OutsideError: the file cannot be written.
    """
    if to not in EXPORTS:
        raise UnknownNameError("format", to, EXPORTS)
    store = open_store(data_dir)
    panel = read_panel(store, normalise_all(tickers) or store.tickers())
    target = Path(output or f"panel.{to}")
    EXPORTS[to](panel, target)
    first, last = str(panel.dates[0]), str(panel.dates[-1])
    return Exported(str(target), len(panel), len(panel.dates), first, last, int(panel.offsets[-1]), panel.fingerprint)


def load_panel(
    tickers: str | Sequence[str] = (),
    *,
    data_dir: Path | str = "data/store",
    start: DateLike | None = None,
    end: DateLike | None = None,
) -> Panel:
    """Reads tickers (all of the store if none is named) as one panel.

    `panel.ohlc` is the [N, T, 4] tensor of adjusted open, high, low, close with NaN where a ticker did not trade, and
    `panel.observed` is true where it did.

    Raises:
        InputError: the store is empty, or a ticker has no candle between the dates.
        UnknownNameError: the store does not have a ticker.
    """
    store = open_store(data_dir)
    names = normalise_all(tickers) or store.tickers()
    return read_panel(store, names, to_day(start, "start"), to_day(end, "end"))


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
    """Writes candles from pandas DataFrames into a store, whose folder other functions take as `data_dir`.

    Nothing is written unless every frame is valid. Frames that continue a history in the store are appended to it.

    Args:
        frames: a long frame with a ticker column, the result of `yfinance.download`, or a dict of one frame for each
            ticker. Column names may be spelled as in files; dates may be the index.
        data_dir: the store; if absent, a temporary folder that is removed when Python exits.
        currency: ISO code of the prices; if absent the ticker's in the store, else USD.
        calendar: exchange calendar of the dates; if absent the ticker's in the store, else that of its suffix at Yahoo
            (VOD.L: XLON), else XNYS.
        columns: names of unrecognised columns: field → name, as in `{"close": "Price"}`.
        date_format: format of ambiguous dates, as in `strftime`.
        resample: `day` makes daily candles from intraday ones.
        force: replace a longer history in the store.
        say: called with what was repaired or dropped, a sentence each.

    Returns:
        The store's folder.

    Raises:
        InputError, DataError: the candles cannot be used, or the store has a longer history.
    """
    from forecaster.data.sources import SourceOptions
    from forecaster.data.sources.arguments import argument_names
    from forecaster.data.sources.given import bars_of

    store = Store(_temporary() if data_dir is None else data_dir)
    options = SourceOptions(
        currency=currency, calendar=calendar, columns=columns or {}, date_format=date_format, resample=resample
    )
    with argument_names():
        given = bars_of(frames, options, store.held)
        for bars, notes in given:
            for note in notes:
                say(f"{bars.ticker}: {note}")
            change = store.write(bars, source="frame", force=force, part=not force)
            if change.status == "kept":
                raise DataError(f"{bars.ticker}: {change.reason}.")
    return store.root


def _temporary() -> str:
    _temporary_folders.append(tempfile.TemporaryDirectory(prefix="forecaster-"))
    return _temporary_folders[-1].name
