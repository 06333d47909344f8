"""GARCH(1,1) with Student-t errors, through the arch library (an extra: `pip install 'stock-forecaster[garch]'`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecaster.axes import Float
from forecaster.baselines import BASELINES, Fitted, Scaled, Scales, names
from forecaster.data.coherence import CLOSE
from forecaster.data.splits import Period
from forecaster.errors import InputError
from forecaster.features.candles import SCALE_FLOOR
from forecaster.features.dataset import Dataset

_PERCENT = 100.0
_FEWEST = 500
_TYPICAL = (0.02, 0.06, 0.93)
"""omega, alpha, beta (returns in percent) for a ticker with too little history, or one not fitted to."""


def _learn(dataset: Dataset, period: Period) -> Fitted:
    """Zero-mean GARCH(1,1)-t fitted to each ticker's returns.

    Source: Bollerslev (1987).
    """
    panel = dataset.panel
    found = []
    for index in range(len(panel)):
        within = period.holds(panel.sessions[panel.rows_of(index)])
        found.append(_fit(_returns(dataset, index)[1:][within[1:]]))
    return {"parameters": np.array(found), "tickers": names.as_array(panel.tickers)}


def _scales(dataset: Dataset, fitted: Fitted) -> Scales:
    """Square root of the expected variance summed over the steps."""
    panel = dataset.panel
    scales = np.full((len(panel.sessions), len(dataset.steps)), np.nan)
    for index, place in enumerate(names.places(panel.tickers, fitted["tickers"])):
        parameters = fitted["parameters"][place] if place >= 0 else np.array(_TYPICAL)
        returns = np.nan_to_num(_returns(dataset, index))
        expected = _expected(returns, parameters, dataset.steps) / _PERCENT
        scales[panel.rows_of(index)] = np.maximum(expected, SCALE_FLOOR)
    return lambda rows: scales[rows]


def _returns(dataset: Dataset, index: int) -> Float[np.ndarray, " time"]:
    """In percent; NaN on the first session."""
    return _PERCENT * np.diff(dataset.logs[dataset.panel.rows_of(index), CLOSE], prepend=np.nan)


def _fit(returns: Float[np.ndarray, " time"]) -> tuple[float, float, float]:
    arch = _arch()
    if len(returns) < _FEWEST or not returns.any():
        return _TYPICAL
    # rescale=False: in percent, returns have the size that the optimiser expects.
    model: Any = arch.arch_model(returns, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
    found = model.fit(disp="off", show_warning=False).params
    omega, alpha, beta = (float(found[name]) for name in ("omega", "alpha[1]", "beta[1]"))
    # At 1 or above, the variance has no long-run level, and its forecasts grow without bound.
    return (omega, alpha, beta) if alpha + beta < 1 else _TYPICAL


def _expected(
    returns: Float[np.ndarray, " time"], parameters: Float[np.ndarray, " 3"], steps: tuple[int, ...]
) -> Float[np.ndarray, "time horizon"]:
    """Square root of the expected variance summed over the next steps, as of each row."""
    omega, alpha, beta = parameters.tolist()
    persistence, level = alpha + beta, omega / (1 - alpha - beta)
    # The recursion starts at the long-run variance; following[t] is that of day t + 1, as known at the close of t.
    following, current = np.empty(len(returns)), level
    for time, move in enumerate(returns):
        current = omega + alpha * move**2 + beta * current
        following[time] = current
    ahead = np.asarray(steps)
    # Tomorrow's distance from the long-run level shrinks by `persistence` a day: Σ persistenceⁱ for i < step.
    carried = (1 - persistence**ahead) / (1 - persistence)
    return np.sqrt(level * ahead + (following[:, None] - level) * carried)


def _arch() -> Any:
    try:
        import arch
    except ImportError as error:
        raise InputError("baseline garch needs the arch library: pip install 'stock-forecaster[garch]'.") from error
    return arch


BASELINES.add(
    "garch",
    Scaled(_scales, _learn, library=_arch),
    "A random walk whose spread is GARCH(1,1) with Student-t errors, fitted to each ticker; needs the arch library.",
)
