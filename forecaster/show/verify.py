"""Findings of a check of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from forecaster.show.output import View
from forecaster.workflows.verify import Finding


def verify_view(findings: Sequence[Finding]) -> View:
    """One row per finding: ticker, file, problem, remedy, and the outcome of a repair."""
    rows = [asdict(finding) for finding in findings]
    return View(rows, rows, lambda: _listing(findings))


def _listing(findings: Sequence[Finding]) -> RenderableType:
    if not findings:
        return Text("Every file is intact, and no candle looks wrong.", style="green")
    left = sum(not finding.mended for finding in findings)
    total = f"{len(findings)} found, {len(findings) - left} fixed, {left} left"
    return Group(*(_paragraph(finding) for finding in findings), Text(total, style="bold"))


def _paragraph(finding: Finding) -> Text:
    text = Text.assemble((finding.ticker, "bold"), " ", (finding.kind, "red"), f"  {finding.file}\n")
    text.append(f"  {finding.problem}\n")
    if finding.mended:
        text.append(f"  fixed: {finding.outcome}\n", style="green")
    elif finding.outcome:
        text.append(f"  not fixed: {finding.outcome}\n", style="yellow")
    else:
        text.append(f"  {finding.remedy}\n", style="dim")
    return text
