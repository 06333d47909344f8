"""What an export of a run wrote, as a line."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table

from forecaster.show.output import View
from forecaster.workflows.export_run import ExportedRun


def exported_run_view(exported: ExportedRun) -> View:
    """The file, and what goes into its networks and comes out."""
    row = asdict(exported) | {"steps": list(exported.steps)}
    return View(row, [row | {"steps": " ".join(map(str, exported.steps))}], lambda: _table(exported))


def _table(exported: ExportedRun) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    cells = {
        "file": exported.file,
        "run": exported.run,
        "features": f"{exported.features}",
        "candles": f"{exported.candles}",
        "steps": ", ".join(map(str, exported.steps)),
        "size": f"{exported.size / 1024:,.0f} KiB",
    }
    for name in cells:
        table.add_column(name, overflow="fold")
    table.add_row(*cells.values())
    return table
