"""Candles of pandas frames for one forecast, without a store on disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, cast

from forecaster.data import calendars
from forecaster.data.bars import Bars
from forecaster.data.memorystore import MemoryStore
from forecaster.data.store import Store
from forecaster.data.symbols import normalise_all
from forecaster.errors import DataError, at_most_five

if TYPE_CHECKING:
    from forecaster.data.sources.given import Frames

Notes = dict[str, tuple[str, ...]]
"""Remarks on its candles that a forecast should carry, by ticker."""


def names_or_frames(given: str | Sequence[str] | Frames) -> tuple[tuple[str, ...], Frames | None]:
    """Names of tickers, or their candles where these are given."""
    if _are_frames(given):
        return (), given
    return normalise_all(cast("str | Sequence[str]", given)), None


def _are_frames(given: object) -> TypeGuard[Frames]:
    return isinstance(given, Mapping) or hasattr(given, "columns")


def frame_store(frames: Frames, data_dir: Path, now: dt.datetime | None = None) -> tuple[MemoryStore, Notes]:
    """The frames' candles in memory, above those of the store on disk, if any.

    Currency and calendar of a ticker are those of the store on disk, if it has the ticker. A last candle whose session
    is still open is left out: yfinance gives it too.

    Args:
        now: timezone-aware; the present if absent.

    Raises:
        InputError, DataError: the candles cannot be used, or a ticker has none.
    """
    from forecaster.data.sources import SourceOptions
    from forecaster.data.sources.arguments import argument_names
    from forecaster.data.sources.given import bars_of, named_tickers

    store, now = Store(data_dir), now or dt.datetime.now(dt.UTC)
    with argument_names():
        found = [bars for bars, _ in bars_of(frames, SourceOptions(), store.held)]
    if absent := sorted(named_tickers(frames) - {bars.ticker for bars in found}):
        raise DataError(
            f"the frame has columns of {at_most_five(absent)} but no candle, expected one a session: "
            "check the symbol and download it again, or drop its columns."
        )
    given = {bars.ticker: _finished(bars, now) for bars in found}
    notes: Notes = {bars.ticker: (_note(bars),) for bars in found if len(given[bars.ticker]) < len(bars)}
    return MemoryStore(given, data_dir), notes


def _finished(bars: Bars, now: dt.datetime) -> Bars:
    if len(bars) < 2 or calendars.is_over(bars.calendar, bars.dates[-1], now):
        return bars
    return bars.between(end=bars.dates[-2])


def _note(bars: Bars) -> str:
    return f"{bars.ticker}'s candle of {bars.dates[-1]} was left out: its session is not over yet."
