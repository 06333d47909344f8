"""Figures and verdicts as every table writes them."""

from __future__ import annotations

VERDICT_COLOURS = {"skill": "green", "no-evidence": "yellow", "worse": "red", "too-few": "yellow"}
"""Style of a verdict's code."""


def chance(p_value: float | None, missing: str = "") -> str:
    """A p-value in a column: `<0.0001`, `0.046`."""
    return missing if p_value is None else "<0.0001" if p_value < 1e-4 else f"{p_value:.2g}"


def signed(fraction: float | None, missing: str = "") -> str:
    """A skill or margin: `+1.93%`."""
    return missing if fraction is None else f"{fraction:+.2%}"


def share(fraction: float | None, missing: str = "") -> str:
    """A coverage: `79.9%`."""
    return missing if fraction is None else f"{fraction:.1%}"


def basis_points(loss: float | None, missing: str = "") -> str:
    """A loss on log prices, in basis points."""
    return missing if loss is None else f"{1e4 * loss:.1f}"
