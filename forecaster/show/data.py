"""The store's tickers, candles, and the result of an export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.data.bars import COLUMNS, Bars
from forecaster.data.candlefile import Record
from forecaster.show.columns import Facts, Sparing
from forecaster.show.output import View
from forecaster.workflows.cache import CacheState
from forecaster.workflows.data import Exported

_LISTED = ("ticker", "rows", "first", "last", "currency", "calendar", "source", "changed")
_SHOWN = ("open", "high", "low", "close", "adj_close")


def listing_view(records: Sequence[Record]) -> View:
    """One row per ticker; data formats include the time zone."""
    rows = [asdict(record) | {"first": str(record.first), "last": str(record.last)} for record in records]
    shown = [row | {"rows": f"{row['rows']:,}", "changed": row["changed"][:10]} for row in rows]
    return View(rows, rows, lambda: _table(_LISTED, shown, ("changed", "source", "calendar", "currency"), "rows"))


def candles_view(histories: Sequence[Bars]) -> View:
    """One table per ticker; JSON has one object per ticker, CSV and Parquet are long; all columns in each."""
    held = [(one, _rows(one)) for one in histories]
    data = [
        {
            "ticker": one.ticker,
            "currency": one.currency,
            "calendar": one.calendar,
            "timezone": one.timezone,
            "candles": rows,
        }
        for one, rows in held
    ]
    long = [{"ticker": one.ticker, **row} for one, rows in held for row in rows]
    return View(data, long, lambda: Group(*(_candles(one, rows) for one, rows in held)))


def export_view(exported: Exported) -> View:
    """The file written and the size of its axes."""
    row = asdict(exported)
    shown = {name: str(value) for name, value in row.items()} | {"fingerprint": exported.fingerprint[:12]}
    return View(row, [row], lambda: Facts(shown))


def cache_view(state: CacheState) -> View:
    """Folder, entries and size of the feature cache; `freed` where it was cleared."""
    row = asdict(state)
    size = "freed" if state.cleared else "size"
    shown = {"folder": state.folder, "entries": str(state.entries), size: f"{state.bytes / 1e6:,.0f} MB"}
    return View(row, [row], lambda: Facts(shown))


def _rows(bars: Bars) -> list[dict[str, Any]]:
    columns = [bars.dates.astype(str).tolist(), *(getattr(bars, name).tolist() for name in COLUMNS)]
    return [dict(zip(("date", *COLUMNS), values, strict=True)) for values in zip(*columns, strict=True)]


def _candles(bars: Bars, rows: Sequence[dict[str, Any]]) -> RenderableType:
    cells = [
        {"date": row["date"], **{name: _price(row[name]) for name in _SHOWN}, "volume": f"{row['volume']:,.0f}"}
        for row in rows
    ]
    names = ("date", *_SHOWN, "volume")
    return Group(
        Text(f"{bars.ticker} in {bars.currency}", style="bold"),
        _table(names, cells, ("adj_close", "volume"), *names[1:]),
    )


def _price(price: float) -> str:
    """Two decimals from 10 on, else five significant digits, as for an exchange rate."""
    return f"{price:,.2f}" if price >= 10 else f"{price:.5g}"


def _table(names: Sequence[str], rows: Sequence[dict[str, Any]], spared: Sequence[str], *right: str) -> Sparing:
    columns = {name: [str(row[name]) for row in rows] for name in names}
    return Sparing(columns, set(names) - set(right), spared, ("ticker",))
