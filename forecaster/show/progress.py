"""Progress on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Advance = Callable[[float, str], None]
"""Call with how many are done in all, and what to say beside the bar."""

Say = Callable[[str], None]
Tick = Callable[[int, int, float | None, float | None], None]


@contextmanager
def progress(title: str, total: float | None, quiet: bool = False) -> Iterator[Advance]:
    """A bar that counts to `total`, or just counts where the total is not known."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=total, detail="")
        yield lambda done, detail: bar.update(task, completed=done, detail=detail)


@contextmanager
def training_progress(quiet: bool = False) -> Iterator[tuple[Say, Tick]]:
    """What a training says while it works: a line a stage, and a bar with loss and validation skill."""
    console = Console(stderr=True, highlight=False)
    bar = Progress(  # with the longest detail it fits 80 columns
        TextColumn("  step"),
        MofNCompleteColumn(),
        BarColumn(bar_width=16),
        TimeRemainingColumn(),
        TextColumn("left {task.fields[detail]}"),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("training", total=None, detail="", visible=False)

    def say(text: str) -> None:
        if not quiet:
            console.print(f"[dim]·[/] {text}", soft_wrap=True)

    def tick(step: int, steps: int, loss: float | None, skill: float | None) -> None:
        bar.update(task, completed=step, total=steps, visible=step < steps)
        if loss is not None:
            judged = "" if skill is None else f", validation skill {skill:+.2%}"
            bar.update(task, detail=f"· loss {loss:.4f}")
            say(f"step {step:,} of {steps:,}: loss {loss:.4f}{judged}")

    with bar:
        yield say, tick
