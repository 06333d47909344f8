"""Losses of one forecaster at all origins of a period: small arrays from which every table is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from forecaster.data.splits import Period
from forecaster.evaluation.baselines import Forecaster
from forecaster.evaluation.metrics import absolute_error, inside, pinball
from forecaster.features.dataset import Dataset, Rows

SHARES = (0.5, 0.8, 0.9)
"""Central bands whose coverage is reported."""

_BLOCK = 16_384
"""Origins forecast at once: bounds the memory."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Losses on log(price / last close); meaningless where `known` is false.

    Args:
        inside: for each of `SHARES` whether the band held; None where the forecast has no such band.
    """

    known: Bool[np.ndarray, "origin horizon"]
    pinball: Float[np.ndarray, "origin horizon variable"]
    error: Float[np.ndarray, "origin horizon variable"]
    inside: tuple[Bool[np.ndarray, "origin horizon variable"] | None, ...]


def score(forecaster: Forecaster, dataset: Dataset, rows: Rows, period: Period, levels: tuple[float, ...]) -> Scores:
    """Hold a forecaster's quantiles against what came."""
    parts = [
        _score_block(forecaster, dataset, rows[start : start + _BLOCK], levels) for start in range(0, len(rows), _BLOCK)
    ]
    bands = [[hits for part in parts if (hits := part[2][band]) is not None] for band in range(len(SHARES))]
    return Scores(
        known=dataset.known(rows, period),
        pinball=np.concatenate([part[0] for part in parts]),
        error=np.concatenate([part[1] for part in parts]),
        inside=tuple(np.concatenate(band) if band else None for band in bands),
    )


def _score_block(
    forecaster: Forecaster, dataset: Dataset, rows: Rows, levels: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray | None]]:
    quantiles, outcomes = forecaster(rows), np.nan_to_num(dataset.moves(rows))
    hits = [inside(quantiles, outcomes, levels, share) for share in SHARES]
    return pinball(quantiles, outcomes, levels), absolute_error(quantiles, outcomes, levels), hits
