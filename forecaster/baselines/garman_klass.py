"""The scale that the networks start from, and nothing else."""

from __future__ import annotations

from forecaster.baselines import BASELINES, Fitted, Scaled, Scales
from forecaster.features.dataset import Dataset


def _scales(dataset: Dataset, fitted: Fitted) -> Scales:  # noqa: ARG001
    """Volatility from whole candles (see `Candles.scale`) · √step."""
    return dataset.units


BASELINES.add(
    "ewma-garman-klass",
    Scaled(_scales),
    "A random walk whose spread follows the last days' whole candles (Garman and Klass): the networks start there.",
)
