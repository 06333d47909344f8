"""Progress on standard error: a redrawn bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from forecaster.show import screen

_KNOWN_AFTER = 0.2
"""Seconds until a speed is shown."""

_FOLD_KNOWN_AFTER = 0.1
"""Folds, as a fraction, that must be done until the speed of parallel folds is shown."""


@dataclass
class Pace:
    """Training speed; a new network's first step resets it."""

    clock: Callable[[], float] = time.monotonic
    first: int = 0
    last: int | None = None
    began: float = 0.0
    left: float | None = None

    def words(self, step: int, steps: int) -> str:
        """`, 14 steps/s, 0:12 left`, or empty until it is known; sets `left`, in seconds."""
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
    """Progress of a walk-forward and its time left, estimated from the mean duration of finished folds.

    A resumed walk-forward starts at a later fold than the first.
    """

    clock: Callable[[], float] = time.monotonic
    first: int = 0
    number: int = 0
    total: int = 0
    began: float = 0.0
    turned: float = 0.0

    def turn(self, number: int, total: int) -> None:
        """A fold begins; the first is 1."""
        self.turned = self.clock()
        if not self.total:
            self.first, self.began = number, self.turned
        self.number, self.total = number, total

    def words(self, left: float | None = None) -> str:
        """`fold 2 of 8, 3:20 left`, without the time until it is known; empty if there are fewer than two folds.

        Args:
            left: seconds left for the network in training.
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
class ParallelFolds:
    """Progress of a walk-forward with parallel folds, and its time left."""

    clock: Callable[[], float] = time.monotonic
    before: float | None = None
    first: float = 0.0
    began: float | None = None

    def words(self, done: float, total: int, what: str = "folds") -> str:
        """`12 of 40 folds, 3:20 left`, without the time until it is known.

        Folds done before this run and the start-up time of the processes do not count as speed.
        """
        now = self.clock()
        self.before = done if self.before is None else self.before
        if self.began is None and done > self.before:
            self.first, self.began = done, now
        place, gained = f"{int(done)} of {total} {what}", done - self.first
        if self.began is None or gained < _FOLD_KNOWN_AFTER or done >= total:
            return place
        return f"{place}, {_duration((total - done) * (now - self.began) / gained)} left"


def _duration(seconds: float) -> str:
    """`0:12`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class ProgressCallbacks:
    """Callbacks of a training or walk-forward, which draw the bar or print lines."""

    def __init__(self, bar: Progress, quiet: bool) -> None:
        self._bar = bar
        self._quiet = quiet
        self._task = bar.add_task("", total=None, visible=False, place="", detail="")
        self._pace, self._folds, self._measured = Pace(), Folds(), ""
        self._parallel, self._finished = ParallelFolds(), 0

    def say(self, text: str) -> None:
        """Print one line, for a stage."""
        if not self._quiet:
            self._bar.console.print(Text.assemble(("·", "dim"), f" {text}"))

    def fold(self, number: int, total: int) -> None:
        """Fold `number` of `total` begins."""
        self._folds.turn(number, total)
        self._measured = ""
        self._between()

    def folds(self, done: float, total: int) -> None:
        """`done` of `total` folds of a parallel walk-forward are done, fractions of running folds included."""
        words = self._parallel.words(done, total)
        if self._bar.disable and int(done) > self._finished:
            self.say(words)
        self._finished = int(done)
        self._show(done, total, [words], [])

    def trials(self, done: float, total: int, best: str) -> None:
        """So many trials of a search are done, and what the best so far has."""
        self._show(done, total, [self._parallel.words(done, total, "trials")], [best], visible=done < total)

    def tick(self, step: int, steps: int, loss: float | None, skill: float | None) -> None:
        """A training step is done; loss and validation skill are None between measurements."""
        speed = self._pace.words(step, steps)
        fold = self._folds.words(self._pace.left)
        if step == 1:
            self._measured = ""
        if loss is not None:
            self._measured = f"loss {loss:.4f}" + ("" if skill is None else f", validation skill {skill:+.2%}")
            if self._bar.disable:
                self.say(f"step {step:,} of {steps:,}: {self._measured}{speed}{f'; {fold}' if fold else ''}")
            elif step >= steps:  # the bar disappears: keep its last values
                self.say(f"step {step:,} of {steps:,}: {self._measured}{speed}")
        if step >= steps:
            self._between()
        else:
            self._show(
                float(step), steps, [f"step {step:,} of {steps:,}", fold], [speed.removeprefix(", "), self._measured]
            )

    def _between(self) -> None:
        """Between networks the bar shows folds alone."""
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
def training_progress(quiet: bool = False) -> Iterator[ProgressCallbacks]:
    """One line per stage; step, speed, time left, loss and validation skill in a bar on a terminal, else as lines."""
    bar = Progress(  # fits 80 columns with the longest texts
        TextColumn("{task.fields[place]}", markup=False),
        BarColumn(bar_width=9),
        TextColumn("{task.fields[detail]}", markup=False),
        console=screen.console(sys.stderr),
        disable=quiet or not screen.moves(sys.stderr),
        transient=True,
    )
    with bar:
        yield ProgressCallbacks(bar, quiet)
