"""Problems of a config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.text import Text

from forecaster.show.output import View


def problems_view(config: str, problems: Sequence[str]) -> View:
    """One line per problem, or that there is none."""
    rows = [{"problem": problem} for problem in problems]
    return View({"config": config, "problems": list(problems)}, rows, lambda: _Problems(config, problems))


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
