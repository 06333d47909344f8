"""Value at risk, expected shortfall, contributions and drawdown of simulated profits and losses.

Losses are positive here: a value at risk of 120 is a loss of 120. Levels are per cents, such as 95.
"""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float

Number = int | float
"""A level, which may be 95 or 92.5."""


def value_at_risk(profits: Float[np.ndarray, path * other], level: Number) -> Float[np.ndarray, "*other"]:
    """The loss that is exceeded with a probability of 100 − level per cent.

    Args:
        profits: profit of each path; a loss is negative.
    """
    return np.asarray(-np.quantile(profits, 1 - level / 100, axis=0))


def tail_weights(profits: Float[np.ndarray, " path"], level: Number) -> Float[np.ndarray, " path"]:
    """Weights, which add up to 1, of the worst 100 − level per cent of the paths; the last of them may count in part.

    Source: Acerbi & Tasche (2002), "On the coherence of expected shortfall", for the part.
    """
    # Rounded, since 1 − 0.95 is a little more than 0.05.
    size = round(len(profits) * (1 - level / 100), 9)
    weights = np.zeros(len(profits))
    order = np.argsort(profits, kind="stable")
    whole = int(size)
    weights[order[:whole]] = 1.0
    if whole < len(profits):
        weights[order[whole]] = size - whole
    return weights / size


def expected_shortfall(profits: Float[np.ndarray, " path"], level: Number) -> float:
    """Mean loss over the worst 100 − level per cent of the paths."""
    return float(-tail_weights(profits, level) @ profits)


def contributions(parts: Float[np.ndarray, "path holding"], level: Number) -> Float[np.ndarray, " holding"]:
    """Each holding's part of the expected shortfall: its mean loss on the portfolio's worst paths. They add up.

    Source: Tasche (1999), "Risk contributions and performance measurement" (Euler allocation).
    """
    found: np.ndarray = -tail_weights(parts.sum(axis=1), level) @ parts
    return found


def drawdowns(values: Float[np.ndarray, "path step"]) -> Float[np.ndarray, " path"]:
    """Worst fall of each path from its highest value so far, in the unit of the values; 0 if it never falls.

    Args:
        values: the first step is today.
    """
    found: np.ndarray = (np.maximum.accumulate(values, axis=1) - values).max(axis=1)
    return found
