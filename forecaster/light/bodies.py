"""Inputs → states, as torch's RNN, LSTM and GRU compute them.

The equations are those of torch's documentation; weights are [gates · hidden, inputs], the gates stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from forecaster.axes import Float

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
        # One product a row: in a product of many rows the last bits of one depend on its place among them.
        kept = np.matmul(state[0][:, None, :], recurrent)[:, 0]
        state = cell(given[:, time], kept + bias, state)
        states[:, time] = state[0]
    return states


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


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)  # cannot overflow


BODIES: dict[str, Callable[[Weights, Mapping[str, Any]], Callable[[Inputs], States]]] = {
    "rnn": partial(_recurrent, _rnn, 1),
    "gru": partial(_recurrent, _gru, 1),
    "lstm": partial(_recurrent, _lstm, 2),
}
