"""The networks and baselines, with their parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.show.output import View
from forecaster.workflows.models import Ingredient


def models_view(found: Sequence[Ingredient]) -> View:
    """One line per model and one per parameter; the long form has one row per parameter."""
    rows = [row for one in found for row in _rows(one)]
    return View([asdict(one) for one in found], rows, lambda: _page(found))


def _rows(one: Ingredient) -> list[dict[str, Any]]:
    head = {"name": one.name, "kind": one.kind, "text": one.text}
    if not one.parameters:
        return [head | {"parameter": None, "default": None, "meaning": None}]
    return [
        head | {"parameter": name, "default": _default(schema), "meaning": schema.get("description")}
        for name, schema in one.parameters.items()
    ]


def _default(schema: dict[str, Any]) -> str | None:
    return json.dumps(schema["default"]) if "default" in schema else None


def _page(found: Sequence[Ingredient]) -> RenderableType:
    parts: list[RenderableType] = []
    shown: dict[str, str] = {}
    for kind in dict.fromkeys(one.kind for one in found):
        parts.append(Text(f"\n{kind.capitalize()}s", "bold"))
        members = [one for one in found if one.kind == kind]
        widest = max(len(one.name) for one in members)
        for one in members:
            parts.append(_heading(one, widest))
            if one.parameters:
                key = json.dumps(one.parameters)
                parts.append(Text(f"  takes what {shown[key]} takes", "dim") if key in shown else _parameters(one))
                shown.setdefault(key, one.name)
    parts.append(
        Text("\nmodel: {name: gru, hidden_size: 32} in a config; evaluation.baselines: [har] for a baseline.", "dim")
    )
    return Group(*parts)


def _heading(one: Ingredient, widest: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True, min_width=widest)
    grid.add_column()
    grid.add_row(one.name, Text(one.text))
    return grid


def _parameters(one: Ingredient) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("", "dim", "dim"):
        table.add_column(style=style, overflow="fold")
    for name, schema in one.parameters.items():
        table.add_row(f"  {name}", _default(schema) or "", schema.get("description", ""))
    return table
