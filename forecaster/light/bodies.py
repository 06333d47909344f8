"""Inputs → states, as torch's RNN, LSTM and GRU compute them, the feed-forward network and the linear recurrent unit.

The equations of the first three are those of torch's documentation; weights are [gates · hidden, inputs], the gates
stacked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any

import numpy as np

from forecaster.axes import Float

_ALIKE = 32
"""Up to so many rows a forecast is the same to the last bit, alone and among others; a sweep is twice as fast."""

Weights = Mapping[str, np.ndarray]
Inputs = Float[np.ndarray, "batch time feature"]
States = Float[np.ndarray, "batch time state"]
Gates = Float[np.ndarray, "batch gate"]
State = tuple[Float[np.ndarray, "batch hidden"], ...]
Cell = Callable[[Gates, Gates, State], State]
"""What the input and the last state say to the gates, and that state → the next one, its output first."""


def _recurrent(cell: Cell, parts: int, weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:
    if parameters.get("nonlinearity") == "relu":
        cell = _relu_rnn
    layers = sum(name.startswith("cell.weight_hh_l") and not name.endswith("_reverse") for name in weights)
    sides = ("", "_reverse") if "cell.weight_hh_l0_reverse" in weights else ("",)

    def body(inputs: Inputs) -> States:
        states = [inputs]
        for layer in range(layers):
            below = np.concatenate(states, axis=-1)
            states = [_direction(cell, parts, weights, f"_l{layer}{side}", below) for side in sides]
        if len(sides) == 1:
            return states[0]
        forward, backward = states  # backwards, the state that has read the whole window
        return np.concatenate([forward, np.broadcast_to(backward[:, :1], backward.shape)], axis=-1)

    return body


def _direction(cell: Cell, parts: int, weights: Weights, suffix: str, inputs: Inputs) -> States:
    """One layer read in one direction, from zero initial state."""
    recurrent = np.ascontiguousarray(weights[f"cell.weight_hh{suffix}"].T)
    given = inputs @ weights[f"cell.weight_ih{suffix}"].T + weights.get(f"cell.bias_ih{suffix}", 0.0)
    bias = weights.get(f"cell.bias_hh{suffix}", np.float32(0))
    size = recurrent.shape[0]
    states = np.empty((*inputs.shape[:2], size), np.float32)
    state: State = (np.zeros((len(inputs), size), np.float32),) * parts
    times = range(inputs.shape[1])
    for time in reversed(times) if suffix.endswith("_reverse") else times:
        state = cell(given[:, time], _product(state[0], recurrent) + bias, state)
        states[:, time] = state[0]
    return states


def _product(states: Float[np.ndarray, "batch hidden"], weights: Float[np.ndarray, "hidden gate"]) -> Gates:
    """One product a row for a few rows: in a product of many the last bits of one depend on its place among them."""
    if len(states) > _ALIKE:
        return states @ weights
    products: np.ndarray = np.matmul(states[:, None, :], weights)[:, 0]
    return products


def _rnn(given: Gates, kept: Gates, state: State) -> State:  # noqa: ARG001
    return (np.tanh(given + kept),)


def _relu_rnn(given: Gates, kept: Gates, state: State) -> State:  # noqa: ARG001
    return (np.maximum(given + kept, np.float32(0)),)


def _gru(given: Gates, kept: Gates, state: State) -> State:
    size = state[0].shape[1]
    reset_update = _sigmoid(given[:, : 2 * size] + kept[:, : 2 * size])
    reset, update = reset_update[:, :size], reset_update[:, size:]
    new = np.tanh(given[:, 2 * size :] + reset * kept[:, 2 * size :])
    return (new + update * (state[0] - new),)


def _lstm(given: Gates, kept: Gates, state: State) -> State:
    gates = given + kept
    size = state[0].shape[1]
    input_forget = _sigmoid(gates[:, : 2 * size])
    new, output = np.tanh(gates[:, 2 * size : 3 * size]), _sigmoid(gates[:, 3 * size :])
    memory = input_forget[:, size:] * state[1] + input_forget[:, :size] * new
    return output * np.tanh(memory), memory


def _dnn(weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:  # noqa: ARG001
    first = weights["first.weight"]  # hidden, feature, window
    deeper = sorted(int(name.split(".")[1]) for name in weights if re.fullmatch(r"layers\.\d+\.weight", name))

    def body(inputs: Inputs) -> States:
        reach = first.shape[2]
        before = np.pad(inputs, ((0, 0), (reach - 1, 0), (0, 0)))
        time = inputs.shape[1]
        windows = [before[:, place : place + time] @ first[..., place].T for place in range(reach)]
        states = _gelu(np.sum(windows, axis=0) + weights.get("first.bias", np.float32(0)))
        for layer in deeper:
            bias = weights.get(f"layers.{layer}.bias", np.float32(0))
            states = _gelu(states @ weights[f"layers.{layer}.weight"].T + bias)
        return states

    return body


def _lru(weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:  # noqa: ARG001
    decay = np.logaddexp(weights["rate"], np.float32(0))
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


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)  # cannot overflow


BODIES: dict[str, Callable[[Weights, Mapping[str, Any]], Callable[[Inputs], States]]] = {
    "rnn": partial(_recurrent, _rnn, 1),
    "gru": partial(_recurrent, _gru, 1),
    "lstm": partial(_recurrent, _lstm, 2),
    "dnn": _dnn,
    "lru": _lru,
}
