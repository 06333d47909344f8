"""Runs side by side: only what differs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.show.output import View
from forecaster.show.runs import short, steps
from forecaster.workflows.compare import Compared, Comparison


def compare_view(said: Comparison) -> View:
    """What differs, then the scores; the long form has a row for each key and run."""
    rows: list[dict[str, Any]] = [
        {"kind": one.kind, "key": one.key, "run": run, "value": short(value)}
        for one in said.differences
        for run, value in zip(said.runs, one.values, strict=True)
    ]
    for one in said.scores:
        figures = {"loss": one.loss, "gain": one.gain, "dm_statistic": one.dm_statistic, "p_value": one.p_value}
        rows += [{"kind": "score", "key": key, "run": one.run, "value": short(value)} for key, value in figures.items()]
    return View(said.as_data(), rows, lambda: _page(said))


def _page(said: Comparison) -> RenderableType:
    parts: list[RenderableType] = []
    for kind, title in (("config", "Config"), ("data", "Data"), ("versions", "Made with")):
        parts.append(_differences(said, kind, title))
    if said.scores:
        where = f"{said.origins:,} test origins that they share, {said.dates} days, {said.first} to {said.last}"
        parts += [Text(f"\nScore on the {where}; steps {steps(said.steps)}", "bold"), _scores(said)]
    parts.append(Text(f"\n{said.verdict}"))
    parts += [Text(note, "dim") for note in said.notes]
    if said.looks > 1:
        parts.append(
            Text(f"This is look number {said.looks} at this test period: the more looks, the less a test it is.", "dim")
        )
    return Group(*parts)


def _differences(said: Comparison, kind: str, title: str) -> RenderableType:
    found = [one for one in said.differences if one.kind == kind]
    if not found:
        return Text(f"\n{title}: no difference", "bold")
    table = Table(
        box=None, pad_edge=False, header_style="bold", title=f"\n{title}", title_style="bold", title_justify="left"
    )
    for name in ("", *said.runs):
        table.add_column(name, overflow="fold")
    for one in found:
        cut = 12 if one.key == "fingerprint" else None
        table.add_row(one.key, *(Text(short(value)[:cut] or "–") for value in one.values))
    return table


def _scores(said: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("run", overflow="fold")
    for name in (said.metric, f"better than {said.runs[0]}", "p"):
        table.add_column(name, justify="right")
    for one in said.scores:
        table.add_row(one.run, f"{one.loss * 1e4:.2f}", *_figures(one))
    return table


def _figures(one: Compared) -> tuple[str, str]:
    gain = "" if one.gain is None else f"{one.gain:+.2%}"
    return gain, "" if one.p_value is None else "<.0001" if one.p_value < 1e-4 else f"{one.p_value:.2g}"
