"""Scores the forecast of ranges and volatility against a reference, with QLIKE and a Diebold–Mariano test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from forecaster.axes import Float
from forecaster.evaluation.rows import Measure, number
from forecaster.evaluation.scores import QUANTITIES, Scores
from forecaster.evaluation.significance import by_date, diebold_mariano

COMPARED = "har"
"""The simple formula for volatility that a model is compared with besides the reference."""


def width_measures(scores: Mapping[str, Scores], dates: np.ndarray, steps: tuple[int, ...]) -> Iterator[Measure]:
    """Yields a row for each pair of forecasters with bands, each quantity and step.

    The first of `scores` is the model, the second the reference. All are compared with it, the model with HAR too.
    """
    model, reference, *_ = scores
    pairs = [(name, reference) for name in scores if name != reference]
    if COMPARED in scores and COMPARED not in (model, reference):
        pairs.append((model, COMPARED))
    for name, baseline in pairs:
        own, other = scores[name], scores[baseline]
        if own.widths is None or other.widths is None:
            continue
        for column, quantity in enumerate(QUANTITIES):
            for place, step in enumerate(steps):
                pair = own.widths[:, place, column], other.widths[:, place, column]
                yield compared(name, quantity, step, "qlike", pair, own.known[:, place], dates, baseline)


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
    """Compares one forecaster's losses with the reference's, at the origins whose outcome is known.

    Args:
        overlap: horizon of the test: sessions that neighbouring outcomes share, plus 1; the step if absent.
    """
    own, other = losses
    mine, theirs = (float(loss[known].mean()) for loss in losses)
    test = diebold_mariano(by_date(own - other, dates, known), overlap or step)
    figures = (1 - mine / theirs if theirs else math.nan, test.statistic, test.p_value)
    skill, statistic, p_value = map(number, figures)
    return Measure(name, quantity, step, score, number(mine), reference, skill, statistic, p_value)
