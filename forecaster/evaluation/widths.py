"""How well widths are forecast: the range of a session, the volatility up to it, and the range of a whole path."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from forecaster.axes import Float
from forecaster.evaluation.rows import Measure, number
from forecaster.evaluation.scores import QUANTITIES, Scores
from forecaster.evaluation.significance import by_date, diebold_mariano


def width_measures(scores: Mapping[str, Scores], dates: np.ndarray, steps: tuple[int, ...]) -> Iterator[Measure]:
    """A row for each forecaster with bands, quantity and step; the second of `scores` is the reference."""
    reference = list(scores)[1]
    other = scores[reference]
    for name, own in scores.items():
        if name == reference or own.widths is None or other.widths is None:
            continue
        for column, quantity in enumerate(QUANTITIES):
            for place, step in enumerate(steps):
                known = own.known[:, place]
                pair = own.widths[:, place, column], other.widths[:, place, column]
                yield compared(name, quantity, step, "qlike", pair, known, dates, reference)


def compared(
    name: str,
    quantity: str,
    step: int,
    score: str,
    losses: tuple[Float[np.ndarray, " origin"], Float[np.ndarray, " origin"]],
    known: np.ndarray,
    dates: np.ndarray,
    reference: str,
    overlap: int | None = None,
) -> Measure:
    """One forecaster's losses beside the reference's, at the origins whose outcome is known.

    Args:
        overlap: sessions that neighbouring outcomes share, and one; the step if absent.
    """
    own, other = losses
    mine, theirs = (float(loss[known].mean()) for loss in losses)
    test = diebold_mariano(by_date(own - other, dates, known), overlap or step)
    figures = (1 - mine / theirs if theirs else math.nan, test.statistic, test.p_value)
    return Measure(name, quantity, step, score, number(mine), reference, *map(number, figures))
