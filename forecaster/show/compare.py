"""Runs side by side: only what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.show.columns import Sparing, by_column
from forecaster.show.output import View
from forecaster.show.runs import short
from forecaster.show.words import chance, steps
from forecaster.workflows.compare import Compared, Comparison

_SHORT = 20
"""Longest run name that fits a column's header."""


def compare_view(comparison: Comparison) -> View:
    """Differences, then scores; the long form has one row per key and run."""
    rows: list[dict[str, Any]] = [
        {"kind": one.kind, "key": one.key, "run": run, "value": short(value)}
        for one in comparison.differences
        for run, value in zip(comparison.runs, one.values, strict=True)
    ]
    for one in comparison.scores:
        figures = {"loss": one.loss, "gain": one.gain, "dm_statistic": one.dm_statistic, "p_value": one.p_value}
        rows += [{"kind": "score", "key": key, "run": one.run, "value": short(value)} for key, value in figures.items()]
    return View(comparison.as_data(), rows, lambda: _page(comparison))


def _page(comparison: Comparison) -> RenderableType:
    parts: list[RenderableType] = []
    for kind, title in (("config", "Config"), ("data", "Data"), ("versions", "Made with")):
        parts.append(_differences(comparison, kind, title))
    if comparison.scores:
        days = f"{comparison.dates} days, {comparison.first} to {comparison.last}"
        where = f"{comparison.origins:,} test origins that they share, {days}"
        parts += [Text(f"\nScore on the {where}; steps {steps(comparison.steps)}", "bold"), _scores(comparison)]
    parts.append(Text(f"\n{comparison.verdict}"))
    parts += [Text(note, "dim") for note in comparison.notes]
    if comparison.looks > len(comparison.runs):
        warning = (
            f"{comparison.looks} different models were tried on this test: the more there are, the luckier the best."
        )
        parts.append(Text(warning, "dim"))
    return Group(*parts)


def _differences(comparison: Comparison, kind: str, title: str) -> RenderableType:
    found = {
        one.key: [short(value)[: 12 if one.key == "fingerprint" else None] or "–" for value in one.values]
        for one in comparison.differences
        if one.kind == kind
    }
    if not found:
        return Text(f"\n{title}: no difference", "bold")
    return Group(Text(f"\n{title}", "bold"), _Differences(comparison.runs, found))


@dataclass(frozen=True)
class _Differences:
    """Keys with one value per run: side by side where no word is cut, else one below the other."""

    runs: tuple[str, ...]
    found: Mapping[str, Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        words = [[name, *(word for value in values for word in value.split())] for name, values in self._by_run()]
        needed = max(map(len, self.found)) + sum(2 + max(map(len, longest)) for longest in words)
        if needed <= options.max_width:
            yield self._side_by_side()
        else:
            yield from self._stacked(options.max_width)

    def _by_run(self) -> Iterator[tuple[str, Sequence[str]]]:
        return zip(self.runs, zip(*self.found.values(), strict=True), strict=True)

    def _side_by_side(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("", no_wrap=True)
        for run in self.runs:
            table.add_column(run)
        for key, values in self.found.items():
            table.add_row(key, *map(Text, values))  # [1, 2] is no markup
        return table

    def _stacked(self, width: int) -> Iterator[RenderableType]:
        for key, values in self.found.items():
            yield Text(key)
            pairs = Table.grid(padding=(0, 2))
            pairs.add_column(style="dim", no_wrap=max(map(len, self.runs)) <= width // 2, overflow="fold")
            pairs.add_column(overflow="fold")
            for run, value in zip(self.runs, values, strict=True):
                pairs.add_row(f"  {run}", Text(value))
            yield pairs


def _scores(comparison: Comparison) -> Sparing:
    first = comparison.runs[0] if len(comparison.runs[0]) <= _SHORT else "the first"
    rows = [(one.run, f"{one.loss * 1e4:.2f}", *_figures(one)) for one in comparison.scores]
    return Sparing(by_column(("run", comparison.metric, f"better than {first}", "p"), rows), ("run",), folded=("run",))


def _figures(one: Compared) -> tuple[str, str]:
    gain = "" if one.gain is None else f"{one.gain:+.2%}"
    return gain, chance(one.p_value)
