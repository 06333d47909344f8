"""Problems of a config, and the configs that ship."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from forecaster.config.about import description
from forecaster.show.output import View


def problems_view(config: str, problems: Sequence[str]) -> View:
    """One line per problem, or that there is none."""
    rows = [{"problem": problem} for problem in problems]
    return View({"config": config, "problems": list(problems)}, rows, lambda: _Problems(config, problems))


def configs_view(found: Mapping[str, Path]) -> View:
    """One line per config: its name and what it is for."""
    rows = [{"name": name, "text": description(path), "file": str(path)} for name, path in found.items()]
    return View(rows, rows, lambda: _configs(rows))


def _configs(rows: Sequence[Mapping[str, str]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column()
    for row in rows:
        grid.add_row(row["name"], Text(row["text"]))
    return Group(
        grid, Text("\nTrain one: forecast train gru; write it out, to edit: forecast config init --like gru", "dim")
    )


@dataclass(frozen=True)
class _Problems:
    """Wrapped on a terminal; elsewhere one line each, which editors parse for file and line."""

    config: str
    problems: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        if not self.problems:
            yield Text(f"{self.config}: no problem found.", "green")
        whole = not options.is_terminal
        for problem in self.problems:
            yield Text(problem, no_wrap=whole, overflow="ignore" if whole else None)
