"""The networks' starting point as a baseline: pooled quantiles × Garman–Klass scale."""

from __future__ import annotations

from forecaster.baselines import BASELINES, Fitted, Scaled, Scales
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset


class _GarmanKlass(Scaled):
    """Its pooled quantiles are the networks' base quantiles: computed once for both."""

    def fit(self, dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Fitted:
        return {"pooled": dataset.base(period, levels)}


def _scales(dataset: Dataset, fitted: Fitted) -> Scales:  # noqa: ARG001
    """Volatility from whole candles (see `Candles.scale`) · √step."""
    return dataset.units


BASELINES.add(
    "ewma-garman-klass",
    _GarmanKlass(_scales),
    "A random walk whose spread follows the last days' whole candles (Garman and Klass): the networks' starting point.",
)
