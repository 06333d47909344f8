"""Progress on standard error: a bar that is drawn over on a terminal, lines that stay anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from forecaster.show import screen

_KNOWN_AFTER = 0.2
"""Seconds after which a speed means something."""

_FOLD_KNOWN_AFTER = 0.1
"""Share of a fold after which the speed of several at a time means something."""


@dataclass
class Pace:
    """How fast a network learns; the next one's first step starts it anew."""

    clock: Callable[[], float] = time.monotonic
    first: int = 0
    last: int | None = None
    began: float = 0.0
    left: float | None = None

    def words(self, step: int, steps: int) -> str:
        """`, 14 steps/s, 0:12 left`, or nothing while it is not known; `left` has the seconds."""
        now = self.clock()
        if self.last is None or step < self.last:
            self.first, self.began = step, now
        self.last = step
        spent, done = now - self.began, step - self.first
        if spent < _KNOWN_AFTER or not done:
            self.left = None
            return ""
        self.left = (steps - step) * spent / done
        left = "" if step >= steps else f", {_duration(self.left)} left"
        speed = done / spent
        return f", {speed:{',.0f' if speed >= 10 else '.1f' if speed >= 1 else '.1g'}} steps/s{left}"


@dataclass
class Folds:
    """Where a walk forward stands, and how long the rest of it takes: as long a fold as the finished ones took.

    A walk that is taken up begins later than at its first fold.
    """

    clock: Callable[[], float] = time.monotonic
    first: int = 0
    number: int = 0
    total: int = 0
    began: float = 0.0
    turned: float = 0.0

    def turn(self, number: int, total: int) -> None:
        """A fold begins, the first being 1."""
        self.turned = self.clock()
        if not self.total:
            self.first, self.began = number, self.turned
        self.number, self.total = number, total

    def words(self, left: float | None = None) -> str:
        """`fold 2 of 8, 3:20 left`, without the time while it is not known; nothing where there is one fold, or none.

        Args:
            left: seconds that the network at work still takes.
        """
        if self.total < 2:
            return ""
        place, spent = f"fold {self.number} of {self.total}", self.clock() - self.turned
        finished = self.number - self.first
        if not finished and left is None:
            return place
        fold = (self.turned - self.began) / finished if finished else spent + (left or 0.0)
        rest = max(fold - spent, left or 0.0) + fold * (self.total - self.number)
        return f"{place}, {_duration(rest)} left"


@dataclass
class Crew:
    """Where a walk forward stands whose folds are fitted several at a time, and how long the rest of it takes."""

    clock: Callable[[], float] = time.monotonic
    before: float | None = None
    first: float = 0.0
    began: float | None = None

    def words(self, done: float, total: int) -> str:
        """`12 of 40 folds, 3:20 left`, without the time while it is not known.

        Neither what was done before is speed, nor the time that the processes take to start.
        """
        now = self.clock()
        self.before = done if self.before is None else self.before
        if self.began is None and done > self.before:
            self.first, self.began = done, now
        place, gained = f"{int(done)} of {total} folds", done - self.first
        if self.began is None or gained < _FOLD_KNOWN_AFTER or done >= total:
            return place
        return f"{place}, {_duration((total - done) * (now - self.began) / gained)} left"


def _duration(seconds: float) -> str:
    """`0:12`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Watch:
    """What a training or a walk forward is told of, and how it is shown."""

    def __init__(self, bar: Progress, quiet: bool) -> None:
        self._bar = bar
        self._quiet = quiet
        self._task = bar.add_task("", total=None, visible=False, place="", detail="")
        self._pace, self._folds, self._measured = Pace(), Folds(), ""
        self._crew, self._finished = Crew(), 0

    def say(self, text: str) -> None:
        """A line a stage."""
        if not self._quiet:
            self._bar.console.print(f"[dim]·[/] {escape(text)}")

    def fold(self, number: int, total: int) -> None:
        """A fold begins, of so many."""
        self._folds.turn(number, total)
        self._measured = ""
        self._between()

    def folds(self, done: float, total: int) -> None:
        """So many folds of a walk are done by several at a time, parts of folds included."""
        words = self._crew.words(done, total)
        if self._bar.disable and int(done) > self._finished:
            self.say(words)
        self._finished = int(done)
        self._show(done, total, [words], [])

    def tick(self, step: int, steps: int, loss: float | None, skill: float | None) -> None:
        """A step is done; loss and validation skill come where they were measured."""
        speed = self._pace.words(step, steps)
        fold = self._folds.words(self._pace.left)
        if step == 1:
            self._measured = ""
        if loss is not None:
            self._measured = f"loss {loss:.4f}" + ("" if skill is None else f", validation skill {skill:+.2%}")
            if self._bar.disable:
                self.say(f"step {step:,} of {steps:,}: {self._measured}{speed}{f'; {fold}' if fold else ''}")
            elif step >= steps:  # what the bar said last
                self.say(f"step {step:,} of {steps:,}: {self._measured}{speed}")
        if step >= steps:
            self._between()
        else:
            self._show(
                float(step), steps, [f"step {step:,} of {steps:,}", fold], [speed.removeprefix(", "), self._measured]
            )

    def _between(self) -> None:
        """No network is learning: only the folds are worth a bar."""
        fold = self._folds.words()
        self._show(float(self._folds.number - 1), self._folds.total, [fold], [], visible=bool(fold))

    def _show(self, done: float, total: int, place: list[str], detail: list[str], visible: bool = True) -> None:
        self._bar.update(
            self._task,
            completed=done,
            total=total,
            visible=visible,
            place="\n".join(f"  {line}" for line in place if line),
            detail="\n".join(line for line in detail if line),
        )


@contextmanager
def training_progress(quiet: bool = False) -> Iterator[Watch]:
    """A line a stage; step, speed, time left, loss and validation skill in a bar on a terminal, else in lines."""
    bar = Progress(  # with the longest words it fits 80 columns
        TextColumn("{task.fields[place]}"),
        BarColumn(bar_width=9),
        TextColumn("{task.fields[detail]}"),
        console=screen.console(sys.stderr),
        disable=quiet or not screen.moves(sys.stderr),
        transient=True,
    )
    with bar:
        yield Watch(bar, quiet)
