"""Linear scales and round ticks, for charts as SVG and in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels; an empty domain maps to the middle."""

    domain: tuple[float, float]
    pixels: tuple[float, float]

    def __call__(self, value: float) -> float:
        (low, high), (start, end) = self.domain, self.pixels
        share = 0.5 if high == low else (value - low) / (high - low)
        return start + share * (end - start)

    def ticks(self, count: int = 5) -> list[float]:
        """As `nice_ticks` of the domain."""
        return nice_ticks(*self.domain, count)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values in [low, high], about `count`: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * (1 - 1e-9))
    # 0.3 / 0.1 is 2.9999999999999996: without the slack a tick at the very end would be lost.
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    # Multiples of the step, because a running sum would drift.
    return [round(place * step, digits) for place in range(first, last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """The ticks with as many digits as tell them apart, the same for all: `0.9985`, `1.0000`."""
    digits = next(
        (count for count in range(10) if all(math.isclose(round(one, count), one, abs_tol=1e-12) for one in ticks)), 10
    )
    return [f"{one:,.{digits}f}" for one in ticks]
