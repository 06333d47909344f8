"""The feature groups, with their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forecaster.show.output import View
from forecaster.workflows.features import UNITS, FeatureGroup


def features_view(found: Sequence[FeatureGroup]) -> View:
    """One line per group and one per kind of column; the long form has one row per column."""
    rows = [row for one in found for row in _rows(one)]
    return View([_data(one) for one in found], rows, lambda: _page(found))


def _data(one: FeatureGroup) -> dict[str, Any]:
    columns = [
        {"name": name, "unit": column.unit, "lag": column.lag, "meaning": column.meaning}
        for column in one.columns
        for name in column.names
    ]
    return {"name": one.name, "text": one.text, "details": one.details, "recursive": one.recursive, "columns": columns}


def _rows(one: FeatureGroup) -> list[dict[str, Any]]:
    columns = _data(one)["columns"] or [dict.fromkeys(("name", "unit", "lag", "meaning"))]
    return [{"group": one.name, "column": column.pop("name"), **column} for column in columns]


def _page(found: Sequence[FeatureGroup]) -> RenderableType:
    parts: list[RenderableType] = []
    for one in found:
        parts += [_heading(one), _columns(one)]
    units = {column.unit for one in found for column in one.columns}
    legend = Table.grid(padding=(0, 2))
    for style in ("", "dim"):
        legend.add_column(style=style, overflow="fold")
    for unit, meaning in UNITS.items():
        if unit in units:
            legend.add_row(f"  {unit}", Text(meaning))
    lags = "Lags: sessions or quarters back, or the half-life of an EWMA in sessions. All is known at the day's close."
    example = "In a config: features: [base, vol, volume], and covariates: [^VIX]. All columns are clipped at ±8."
    return Group(*parts, Text("\nUnits", "bold"), legend, Text(f"\n{lags}\n{example}", "dim"))


def _heading(one: FeatureGroup) -> RenderableType:
    count = f"  {one.count} column{'s' if one.count > 1 else ''}" if one.count else ""
    also = ", also for the decoder recursive" if one.recursive else ""
    about = Padding(Text(_plain(f"{one.text} {one.details}".rstrip())), (0, 0, 0, 2), expand=False)
    return Group(Text.assemble((f"\n{one.name}", "cyan"), (f"{count}{also}", "dim")), about)


def _columns(one: FeatureGroup) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("", "dim", "dim", ""):
        table.add_column(style=style, overflow="fold")
    for column in one.columns:
        table.add_row(f"  {_broken(column.label)}", column.unit, column.lag, Text(_plain(column.meaning)))
    return table


def _broken(label: str) -> str:
    """A long choice may be wrapped after each `|`."""
    return label.replace("|", "| ") if len(label) > 24 else label


def _plain(text: str) -> str:
    """Without the backticks of Markdown."""
    return text.replace("`", "")
