"""The ensemble: a run's members, networks and baselines, as one forecaster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import FittedBaseline
from forecaster.data.coherence import coherent
from forecaster.features.dataset import Dataset, Forecaster, Rows
from forecaster.inference.rollout import Rollable, rollout_quantiles
from forecaster.inference.sweep import Reach, Runnable, quantiles
from forecaster.light.network import LightNetwork

Member = Runnable | FittedBaseline


def ensemble(
    members: Sequence[Member],
    dataset: Dataset,
    reach: Reach,
    weights: Sequence[float] | None = None,
    steps: int | None = None,
) -> Forecaster:
    """The mean of the members' coherent quantiles of log(price / last close).

    Args:
        weights: of the members; equal if absent.
        steps: number of steps to forecast, from the dataset's first on; all if absent.
    """
    count = len(dataset.steps) if steps is None else steps
    parts = [_bind(member, dataset, reach, count) for member in members]
    if len(parts) == 1:
        return parts[0]
    shares = [1.0] * len(parts) if weights is None else weights

    def mean(rows: Rows) -> Float[np.ndarray, "origin horizon variable quantile"]:
        total = shares[0] * parts[0](rows)
        for share, part in zip(shares[1:], parts[1:], strict=True):
            total += share * part(rows)
        return coherent(total / sum(shares))

    return mean


def _bind(member: Member, dataset: Dataset, reach: Reach, steps: int) -> Forecaster:
    if isinstance(member, FittedBaseline):
        bound = member.bind(dataset)
        return lambda rows: bound(rows)[:, :steps]
    if member.horizon < steps:  # later steps by autoregressive rollout
        return lambda rows: rollout_quantiles(cast(Rollable, member), dataset, rows, reach)[:, :steps]
    network = member.first(steps) if isinstance(member, LightNetwork) else member
    return lambda rows: quantiles(network, dataset, rows, reach)[:, :steps]
