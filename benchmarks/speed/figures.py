"""A measured figure with its aim, and the table of all of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """Something measured several times.

    Args:
        aim: what it should be at most, or at least.
        unit: put behind each number.
    """

    name: str
    values: tuple[float, ...]
    unit: str
    aim: float | None = None
    bound: Literal["most", "least"] = "most"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def cells(self) -> tuple[str, str, str, str]:
        """Name, median, spread (smallest to largest), and the aim with whether it was reached."""
        spread = f"{_number(min(self.values))} to {_number(max(self.values))}" if len(self.values) > 1 else "once"
        return self.name, f"{_number(self.median)}{self.unit}", spread, self._aim()

    def _aim(self) -> str:
        if self.aim is None:
            return "–"
        reached = self.median <= self.aim if self.bound == "most" else self.median >= self.aim
        return f"{'≤' if self.bound == 'most' else '≥'} {_number(self.aim)}{self.unit}: {'yes' if reached else 'no'}"


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    rows = [("", "median", "spread", "aim"), ("---",) * 4, *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
