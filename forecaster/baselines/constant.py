"""Baselines whose forecast is the same every day."""

from __future__ import annotations

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import BASELINES, Unchanging
from forecaster.data.coherence import CLOSE
from forecaster.data.splits import Period
from forecaster.features.dataset import Dataset, pooled_quantiles

Quantiles = Float[np.ndarray, "horizon variable quantile"]


def constant(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Quantiles:
    """Pooled quantiles of past moves, the same every day: blind to today's volatility."""
    return pooled_quantiles(dataset, period, lambda rows: np.ones((len(rows), len(dataset.steps))), levels)


def drift(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Quantiles:
    """The last close plus the mean close-to-close move over the step, pooled over tickers, as every quantile."""
    rows = dataset.origins(period)
    known = dataset.known(rows, period)
    mean = np.array(
        [dataset.moved(rows[known[:, place]], step)[:, CLOSE].mean() for place, step in enumerate(dataset.steps)]
    )
    # All levels equal: a line without bands, which the scorecard treats as a point forecast.
    return np.broadcast_to(mean[:, None, None], (len(mean), 4, len(levels)))


def last_close(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Quantiles:  # noqa: ARG001
    """The last close carried forward, for all four prices and as every quantile: exposes models that merely echo it."""
    return np.zeros((len(dataset.steps), 4, len(levels)))


BASELINES.add(
    "constant",
    Unchanging(constant),
    "The quantiles of all moves fitted to, the same every day: blind to today's volatility.",
)
BASELINES.add(
    "drift",
    Unchanging(drift),
    "The last close plus the mean close-to-close move over the step, as every quantile: a line without bands.",
)
BASELINES.add(
    "last-close",
    Unchanging(last_close),
    "The last close carried forward, for all four prices and as every quantile: exposes models that merely echo it.",
)
