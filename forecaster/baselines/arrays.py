"""What the arrays of a fitted baseline look like, so that those of a stranger's model file are checked before use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.baselines import Fitted
from forecaster.baselines.har import TERMS

_PRICES = 4
_NEEDED = {
    **dict.fromkeys(("constant", "drift", "last-close"), ("quantiles",)),
    **dict.fromkeys(("ewma-random-walk", "ewma-garman-klass"), ("pooled",)),
    **dict.fromkeys(("har", "harx", "gbm"), ("pooled", "weights")),
    "climatology": ("tickers", "pooled", "own"),
    "garch": ("tickers", "pooled", "parameters"),
}
"""By baseline; those of plugins, and their arrays, are unknown here."""


def check_fitted(name: str, fitted: Fitted, steps: Sequence[int], levels: Sequence[float], features: int) -> None:
    """Checks the arrays of a baseline that ships.

    Args:
        features: columns of the run's features.

    Raises:
        ValueError: one is missing, has another shape or type, or holds what is no number.
    """
    terms = TERMS if name == "har" else TERMS + features
    table = (len(steps), _PRICES, len(levels))
    shapes: dict[str, tuple[int | None, ...]] = {
        "pooled": table,
        "quantiles": table,
        "own": (None, *table),
        "weights": (terms, len(steps)),
        "parameters": (None, 3),
        "tickers": (None, None),
    }
    for array in _NEEDED.get(name, ()):
        if array not in fitted:
            raise ValueError(f"it has no array {array}")
        _check(array, fitted[array], shapes[array])
        if shapes[array][0] is None and len(fitted[array]) != len(fitted["tickers"]):
            raise ValueError(f"its array {array} has another number of tickers than names")


def _check(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(
        wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = " × ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"its array {name} is {' × '.join(map(str, array.shape)) or 'a number'}, expected {wanted}")
    if name == "tickers":
        if array.dtype != np.uint8:
            raise ValueError("its tickers are no bytes")
    elif array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"its array {name} holds what is no number")
