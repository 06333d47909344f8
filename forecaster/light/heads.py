"""Raw outputs → standardised quantiles: the heads of `models.heads`, in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forecaster.axes import Float

Raw = Float[np.ndarray, "*batch horizon variable raw"]
Base = Float[np.ndarray, "horizon variable quantile"]
Quantiles = Float[np.ndarray, "*batch horizon variable quantile"]


def _scale(raw: Raw, base: Base) -> Quantiles:
    return base * np.exp(raw)


def _point(raw: Raw, base: Base) -> Quantiles:
    return base + raw


def _quantile(raw: Raw, base: Base) -> Quantiles:
    # The same floor as in `models.heads`: the weights were learnt with it.
    steps = np.maximum(np.diff(base), np.float32(1e-4))
    lowest = base[..., :1] + raw[..., :1]
    # steps + log(1 − e^−steps) is the inverse of softplus: with raw outputs of 0 the rises are the base's own.
    rises = _softplus(steps + np.log(-np.expm1(-steps)) + raw[..., 1:])
    return np.concatenate([lowest, lowest + np.cumsum(rises, axis=-1)], axis=-1)


def _softplus(values: np.ndarray) -> np.ndarray:
    return np.logaddexp(values, np.float32(0))


HEADS: dict[str, Callable[[Raw, Base], Quantiles]] = {"scale": _scale, "point": _point, "quantile": _quantile}
