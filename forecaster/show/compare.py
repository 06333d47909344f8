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
"""Letters of a run's name that a column's header has room for."""


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
    if said.looks > len(said.runs):
        told = f"{said.looks} different models were tried on this test: the more there are, the luckier the best."
        parts.append(Text(told, "dim"))
    return Group(*parts)


def _differences(said: Comparison, kind: str, title: str) -> RenderableType:
    found = {
        one.key: [short(value)[: 12 if one.key == "fingerprint" else None] or "–" for value in one.values]
        for one in said.differences
        if one.kind == kind
    }
    if not found:
        return Text(f"\n{title}: no difference", "bold")
    return Group(Text(f"\n{title}", "bold"), _Differences(said.runs, found))


@dataclass(frozen=True)
class _Differences:
    """Keys with a value a run: side by side where no word is cut by that, else one under the other."""

    runs: tuple[str, ...]
    found: Mapping[str, Sequence[str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        words = [[name, *(word for value in values for word in value.split())] for name, values in self._by_run()]
        needed = max(map(len, self.found)) + sum(2 + max(map(len, longest)) for longest in words)
        if needed <= options.max_width:
            yield self._side_by_side()
        else:
            yield from self._one_under_the_other(options.max_width)

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

    def _one_under_the_other(self, width: int) -> Iterator[RenderableType]:
        for key, values in self.found.items():
            yield Text(key)
            pairs = Table.grid(padding=(0, 2))
            pairs.add_column(style="dim", no_wrap=max(map(len, self.runs)) <= width // 2, overflow="fold")
            pairs.add_column(overflow="fold")
            for run, value in zip(self.runs, values, strict=True):
                pairs.add_row(f"  {run}", Text(value))
            yield pairs


def _scores(said: Comparison) -> Sparing:
    first = said.runs[0] if len(said.runs[0]) <= _SHORT else "the first"
    rows = [(one.run, f"{one.loss * 1e4:.2f}", *_figures(one)) for one in said.scores]
    return Sparing(by_column(("run", said.metric, f"better than {first}", "p"), rows), ("run",), folded=("run",))


def _figures(one: Compared) -> tuple[str, str]:
    gain = "" if one.gain is None else f"{one.gain:+.2%}"
    return gain, chance(one.p_value)
