"""The networks of a run as one forecaster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.axes import Float
from forecaster.features.dataset import Dataset, Rows
from forecaster.inference.coherence import coherent
from forecaster.inference.sweep import Reach, Runnable, quantiles


def ensemble_quantiles(
    networks: Sequence[Runnable], dataset: Dataset, rows: Rows, reach: Reach
) -> Float[np.ndarray, "origin horizon variable quantile"]:
    """The mean of the members' coherent quantiles of log(price / last close)."""
    members = [quantiles(network, dataset, rows, reach) for network in networks]
    return members[0] if len(members) == 1 else coherent(np.mean(members, axis=0))
