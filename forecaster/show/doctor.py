"""Results of the checks of `forecast doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.evaluation.canaries import FAILED, PASSED, SKIPPED, WARNED, Check
from forecaster.show.output import View
from forecaster.workflows.doctor import Examination

_MARKS = {PASSED: ("✓", "green"), WARNED: ("!", "yellow"), FAILED: ("✗", "bold red"), SKIPPED: ("–", "dim")}


def doctor_view(found: Examination) -> View:
    """One row per check."""
    return View(found.as_data(), [asdict(check) for check in found.checks], lambda: _report(found))


def _report(found: Examination) -> RenderableType:
    lines: list[RenderableType] = []
    for part, checks in groupby(found.checks, lambda check: check.part):
        lines += [Text(f"\n{f'run {found.run}' if part == 'run' else part}", "bold"), _table(list(checks))]
    lines += [Text(f"\n{note}" if place == 0 else note, "dim") for place, note in enumerate(found.notes)]
    return Group(*lines, Text(f"\n{_total(found)}", "bold"))


def _table(checks: Sequence[Check]) -> Table:
    """Mark, name and measured value; the expectation where it was not met, and what a run's check means."""
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True, min_width=13)
    table.add_column()
    for check in checks:
        mark, style = _MARKS[check.status]
        text = Text(check.measured)
        if check.status in (FAILED, WARNED):
            text.append(f"\nexpected: {check.expected}", "dim")
        if check.part == "run" or check.status == FAILED:
            text.append(f"\n{check.meaning}", {FAILED: "red", WARNED: "yellow"}.get(check.status, "dim"))
        table.add_row(Text(mark, style), Text(check.name, style), text)
    return table


def _total(found: Examination) -> str:
    counts = {status: sum(check.status == status for check in found.checks) for status in _MARKS}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)
