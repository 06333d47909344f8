"""GARCH(1,1) with Student-t errors, through the arch library (an extra: `pip install 'forecaster[garch]'`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.evaluation.baselines import BASELINES, Forecaster, scaled
from forecaster.features.dataset import Dataset

_PERCENT = 100.0
_FEWEST = 500
_TYPICAL = (0.02, 0.06, 0.93)
"""omega, alpha, beta (returns in percent) where a ticker has too little history of its own."""


@BASELINES.register("garch")
def garch(dataset: Dataset, period: Period, levels: tuple[float, ...]) -> Forecaster:
    """Zero-mean GARCH(1,1)-t fitted to each ticker's returns; scale = root of the variance summed over the steps.

    Source: Bollerslev (1987).
    """
    panel = dataset.panel
    last = panel.last_rows(period.end)
    scales = np.full((len(panel.sessions), len(dataset.steps)), np.nan)
    for index in range(len(panel)):
        rows = panel.rows_of(index)
        returns = _PERCENT * np.diff(dataset.logs[rows, 3], prepend=np.nan)
        parameters = _fit(returns[1 : int(last[index]) - rows.start + 1])
        scales[rows] = _scales(np.nan_to_num(returns), parameters, dataset.steps) / _PERCENT
    return scaled(dataset, period, levels, scales)


def _fit(returns: Float[np.ndarray, " time"]) -> tuple[float, float, float]:
    if len(returns) < _FEWEST:
        return _TYPICAL
    model: Any = _arch().arch_model(returns, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    found = model.fit(disp="off", show_warning=False).params
    omega, alpha, beta = (float(found[name]) for name in ("omega", "alpha[1]", "beta[1]"))
    return (omega, alpha, beta) if alpha + beta < 1 else _TYPICAL


def _scales(
    returns: Float[np.ndarray, " time"], parameters: tuple[float, float, float], steps: tuple[int, ...]
) -> Float[np.ndarray, "time horizon"]:
    """Root of the expected variance summed over the next steps, seen from each row."""
    omega, alpha, beta = parameters
    persistence, level = alpha + beta, omega / (1 - alpha - beta)
    following, current = np.empty(len(returns)), level
    for time, move in enumerate(returns):
        current = omega + alpha * move**2 + beta * current
        following[time] = current
    ahead = np.asarray(steps)
    carried = (1 - persistence**ahead) / (1 - persistence)
    return np.sqrt(level * ahead + (following[:, None] - level) * carried)


def _arch() -> Any:
    try:
        import arch
    except ImportError as error:
        raise InputError("baseline garch needs the arch library: pip install 'forecaster[garch]'.") from error
    return arch
