"""One line per ticker as it arrives, and the summary of a fetch."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from forecaster.show import screen
from forecaster.show.columns import Sparing, by_column
from forecaster.show.output import View
from forecaster.workflows.fetch import Fetched

_STYLES = {"new": "green", "updated": "green", "unchanged": "dim", "kept": "yellow", "failed": "red"}


@dataclass(frozen=True)
class Screen:
    """Callbacks while a fetch runs: `row` for each outcome, `say` for a message."""

    row: Callable[[Fetched], None]
    say: Callable[[str], None]


@contextmanager
def fetch_progress(total: int | None, quiet: bool = False, rows: bool = True) -> Iterator[Screen]:
    """One line per ticker above a progress bar, on standard error.

    Args:
        rows: show the lines, not the bar alone.
    """
    console = screen.console(sys.stderr)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    hidden = quiet or not screen.moves(sys.stderr)  # a log file needs the rows, not the bar
    with Progress(*columns, console=console, disable=hidden, transient=True) as bar:
        task = bar.add_task("fetching", total=total)

        def row(outcome: Fetched) -> None:
            if rows and not quiet:
                console.print(_row(outcome))
            bar.update(task, advance=1, description=outcome.ticker)

        def say(sentence: str) -> None:
            if not quiet:
                console.print(sentence, style="yellow")

        yield Screen(row, say)


def rows_needed(output: Path | None) -> bool:
    """Whether a line per ticker is news: not where the table that ends on the same screen says it all again."""
    return output is not None or not screen.same_place(sys.stdout, sys.stderr)


def next_step(outcomes: Sequence[Fetched], data_dir: Path | None) -> str:
    """The command to go on with; empty if there is nothing to forecast.

    Args:
        data_dir: the store, if a command does not find it by itself.
    """
    held = [one.ticker for one in outcomes if one.rows and one.status != "failed"]
    if not held:
        return ""
    words = ["forecast", "predict", held[0], *(("--data-dir", str(data_dir)) if data_dir else ())]
    return f"Next: {shlex.join(words)}"


def fetch_view(outcomes: Sequence[Fetched]) -> View:
    """One row per ticker: what the store holds now, what was repaired or dropped, what failed and why."""
    rows = [asdict(outcome) | {"notes": list(outcome.notes)} for outcome in outcomes]
    flat = [row | {"notes": "; ".join(row["notes"])} for row in rows]
    return View(rows, flat, lambda: _summary(outcomes))


def _row(outcome: Fetched) -> Text:
    style = _STYLES[outcome.status]
    if outcome.status == "failed":
        detail = outcome.reason.removeprefix(f"{outcome.ticker}: ")
    else:
        detail = f"{outcome.added:+,} to {outcome.last}" if outcome.added else f"up to {outcome.last}"
    return Text.assemble(f"{outcome.ticker:<10} ", (f"{outcome.status:<9}", style), f" {detail}")


def _summary(outcomes: Sequence[Fetched]) -> RenderableType:
    counts = Counter(outcome.status for outcome in outcomes)
    total = ", ".join(f"{counts[status]} {status}" for status in _STYLES if counts[status])
    parts: list[RenderableType] = [_table(outcomes), ""]
    for outcome in outcomes:
        parts += _remarks(outcome)
    return Group(*parts, Text(total or "nothing to do", style="bold"))


def _table(outcomes: Sequence[Fetched]) -> Sparing:
    rows = [
        (one.ticker, Text(one.status, _STYLES[one.status]), f"{one.rows:,}", f"{one.added:,}", one.first, one.last)
        for one in outcomes
    ]
    columns = by_column(("ticker", "status", "rows", "new", "first", "last"), rows)
    return Sparing(columns, ("ticker", "status", "first", "last"), ("first", "new"), ("ticker",))


def _remarks(outcome: Fetched) -> list[RenderableType]:
    """Why it failed or was kept, and each note, wrapped below the ticker."""
    reason = outcome.reason.removeprefix(f"{outcome.ticker}: ")
    texts = [
        (part, style) for part, style in ((reason, _STYLES[outcome.status]), *((n, "") for n in outcome.notes)) if part
    ]
    if not texts:
        return []
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for text, style in texts:
        grid.add_row(Text(f"{outcome.ticker}:"), Text(text, style=style))
    return [grid]
