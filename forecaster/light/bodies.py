"""Inputs → hidden states: feed-forward network and linear recurrent unit; the table of all light bodies."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import numpy as np

from forecaster.light.recurrent import Inputs, States, Weights, recurrent


def _dnn(weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:  # noqa: ARG001
    first = weights["first.weight"]  # [hidden, feature, window]
    deeper = sorted(int(name.split(".")[1]) for name in weights if re.fullmatch(r"layers\.\d+\.weight", name))

    def body(inputs: Inputs) -> States:
        reach = first.shape[2]
        before = np.pad(inputs, ((0, 0), (reach - 1, 0), (0, 0)))
        time = inputs.shape[1]
        # A convolution as one matmul for each place in the window; place 0 is the oldest candle.
        windows = [before[:, place : place + time] @ first[..., place].T for place in range(reach)]
        states = _gelu(np.sum(windows, axis=0) + weights.get("first.bias", np.float32(0)))
        for layer in deeper:
            bias = weights.get(f"layers.{layer}.bias", np.float32(0))
            states = _gelu(states @ weights[f"layers.{layer}.weight"].T + bias)
        return states

    return body


def _lru(weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:  # noqa: ARG001
    # softplus: no mean can grow, whatever training does to its rate.
    decay = np.logaddexp(weights["rate"], np.float32(0))
    # share = √(1 − keep²): a mean of white noise then has the variance of the noise, however slow it is.
    keep, share = np.exp(-decay), np.sqrt(-np.expm1(-2 * decay))

    def body(inputs: Inputs) -> States:
        means = share * (inputs @ weights["given.weight"].T + weights["given.bias"])
        for time in range(1, means.shape[1]):
            means[:, time] += keep * means[:, time - 1]
        mixed = means @ weights["mix.weight"].T + weights["mix.bias"]
        return _gelu(mixed + inputs @ weights["direct.weight"].T + weights["direct.bias"])

    return body


def _gelu(values: np.ndarray) -> np.ndarray:
    """x · Φ(x), with the error function after Abramowitz & Stegun (1964), 7.1.26: exact within 1.5e-7."""
    size = np.abs(values) * np.float32(math.sqrt(0.5))
    share = 1 / (1 + np.float32(0.3275911) * size)
    terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    tail = reduce(lambda total, term: (total + np.float32(term)) * share, terms, np.zeros_like(values))
    half = np.float32(0.5) * tail * np.exp(-size * size)
    return values * np.where(values > 0, 1 - half, half)


BODIES: dict[str, Callable[[Weights, Mapping[str, Any]], Callable[[Inputs], States]]] = {
    **{name: partial(recurrent, name) for name in ("rnn", "gru", "lstm")},
    "dnn": _dnn,
    "lru": _lru,
}
