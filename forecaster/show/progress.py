"""Progress on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Advance = Callable[[float, str], None]
"""Call with how many are done in all, and what to say beside the bar."""

_KNOWN_AFTER = 0.2
"""Seconds after which a speed means something."""

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


@dataclass
class Pace:
    """How fast a network learns; the next one's first step starts it anew."""

    clock: Callable[[], float] = time.monotonic
    first: int = 0
    last: int | None = None
    began: float = 0.0

    def words(self, step: int, steps: int) -> str:
        """`, 14 steps/s, 0:12 left`, or nothing while it is not known."""
        now = self.clock()
        if self.last is None or step < self.last:
            self.first, self.began = step, now
        self.last = step
        spent, done = now - self.began, step - self.first
        if spent < _KNOWN_AFTER or not done:
            return ""
        left = "" if step >= steps else f", {_duration((steps - step) * spent / done)} left"
        speed = done / spent
        return f", {speed:{',.0f' if speed >= 10 else '.1f' if speed >= 1 else '.1g'}} steps/s{left}"


def _duration(seconds: float) -> str:
    """`0:12`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def training_progress(quiet: bool = False) -> Iterator[tuple[Say, Tick]]:
    """What a training says while it works: a line a stage, and a bar with loss, skill, speed and time left."""
    console = Console(stderr=True, highlight=False)
    bar = Progress(  # with the longest detail it fits 80 columns
        TextColumn("  step"),
        MofNCompleteColumn(),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[detail]}"),
        console=console,
        disable=quiet or not console.is_terminal or console.is_dumb_terminal,
        transient=True,
    )
    task, pace, measured = bar.add_task("training", total=None, detail="", visible=False), Pace(), ""

    def say(text: str) -> None:
        if not quiet:
            console.print(f"[dim]·[/] {escape(text)}", soft_wrap=True)

    def tick(step: int, steps: int, loss: float | None, skill: float | None) -> None:
        nonlocal measured
        speed = pace.words(step, steps)
        if loss is not None:
            judged = "" if skill is None else f", validation skill {skill:+.2%}"
            say(f"step {step:,} of {steps:,}: loss {loss:.4f}{judged}{speed}")
            measured = f", loss {loss:.4f}" + ("" if skill is None else f", skill {skill:+.2%}")
        bar.update(
            task, completed=step, total=steps, visible=step < steps, detail=(speed + measured).removeprefix(", ")
        )

    with bar:
        yield say, tick
