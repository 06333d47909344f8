"""The summary of a fetch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from forecaster.show.output import View
from forecaster.workflows.fetch import Fetched

_STYLES = {"new": "green", "updated": "green", "unchanged": "dim", "kept": "yellow", "failed": "red"}


def fetch_view(outcomes: Sequence[Fetched]) -> View:
    """One row a ticker: what is held now, what was repaired or dropped, what failed and why."""
    rows = [asdict(outcome) | {"notes": list(outcome.notes)} for outcome in outcomes]
    flat = [row | {"notes": "; ".join(row["notes"])} for row in rows]
    return View(rows, flat, lambda: _table(outcomes))


def _table(outcomes: Sequence[Fetched]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("ticker", "status", "first", "last", "notes"):
        table.add_column(name, overflow="fold")
    table.add_column("rows", justify="right")
    table.add_column("new", justify="right")
    for one in outcomes:
        remarks = "; ".join(part for part in (one.reason, *one.notes) if part)
        style = _STYLES[one.status]
        cells = (
            one.ticker,
            f"[{style}]{one.status}[/]",
            one.first,
            one.last,
            escape(remarks),
            f"{one.rows:,}",
            f"{one.added:,}",
        )
        table.add_row(*cells)
    return table
