"""Figures, prices, steps and verdicts as every table, picture and page writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

VERDICT_COLOURS = {"skill": "green", "no-evidence": "yellow", "worse": "red", "too-few": "yellow"}
"""Style of a verdict's code."""


def chance(p_value: float | None, missing: str = "") -> str:
    """A p-value in a column: `<0.0001`, `0.046`."""
    if p_value is None:
        return missing
    return "<0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def signed(fraction: float | None, missing: str = "") -> str:
    """A skill or margin: `+1.93%`."""
    return missing if fraction is None else f"{fraction:+.2%}"


def share(fraction: float | None, missing: str = "") -> str:
    """A coverage: `79.9%`."""
    text = missing if fraction is None else f"{fraction:.1%}"
    return "0.0%" if text == "-0.0%" else text


def basis_points(loss: float | None, missing: str = "") -> str:
    """A loss on log prices, in basis points."""
    return missing if loss is None else f"{1e4 * loss:.1f}"


def steps(horizon: Sequence[int]) -> str:
    """Steps ahead: `1–5`, or `1–5, 20`."""
    ranges: list[list[int]] = []
    for step in horizon:
        if ranges and ranges[-1][-1] + 1 == step:
            ranges[-1].append(step)
        else:
            ranges.append([step])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}–{one[-1]}" for one in ranges)


def decimals(price: float) -> int:
    """Decimals for five significant digits, at most 2 from a price of 10 on: 430.47, 1.0834, 12,345."""
    digits = 4 - math.floor(math.log10(price))
    return max(0, min(digits, 2) if price >= 10 else digits)


def price_text(price: float, like: float) -> str:
    """A price with the decimals of another, so that all prices of one forecast align."""
    return f"{price:,.{decimals(like)}f}"


def shortened(text: str, most: int) -> str:
    """At most `most` characters, the last an ellipsis if the text is cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
