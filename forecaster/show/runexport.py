"""Result of a run's export to ONNX."""

from __future__ import annotations

from dataclasses import asdict

from forecaster.show.columns import Facts
from forecaster.show.output import View
from forecaster.workflows.export_run import ExportedRun


def exported_run_view(exported: ExportedRun) -> View:
    """The file, and the shapes of its inputs and outputs."""
    row = asdict(exported) | {"steps": list(exported.steps)}
    return View(row, [row | {"steps": " ".join(map(str, exported.steps))}], lambda: _facts(exported))


def _facts(exported: ExportedRun) -> Facts:
    return Facts(
        {
            "file": exported.file,
            "run": exported.run,
            "features": f"{exported.features}",
            "candles": f"{exported.candles}",
            "steps": ", ".join(map(str, exported.steps)),
            "size": f"{exported.size / 1024:,.0f} KiB",
        }
    )
