"""Inputs → states, as torch's RNN, LSTM and GRU compute them: the equations of torch's documentation.

Weights are [gates · hidden, inputs], the gates stacked. σ(x) is (tanh(x / 2) + 1) / 2, which cannot overflow: the rows
of its gates are halved beforehand and stand first, so that one tanh serves all that a candle opens and closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float

ALIKE = 32
"""Up to so many rows a forecast is the same to the last bit, alone and among others; a sweep is twice as fast."""

Weights = Mapping[str, np.ndarray]
Inputs = Float[np.ndarray, "batch time feature"]
States = Float[np.ndarray, "batch time state"]
Gates = Float[np.ndarray, "batch gate"]
State = tuple[Float[np.ndarray, "batch hidden"], ...]


@dataclass(frozen=True)
class Cell:
    """One step of a recurrent layer, in place.

    Args:
        advance: what a candle says to the gates, and what the last state does → the next state, in the place of the
            last, its output first. Both arguments may be overwritten.
        gates: torch's places of the gates, in the order that `advance` takes them.
        logistic: how many of them, from the first, pass a sigmoid.
        parts: arrays in a state.
        reset: the state's share is gated by itself, so that its bias must not be added to the candle's.
    """

    advance: Callable[[Gates, Gates, State], None]
    gates: tuple[int, ...] = (0,)
    logistic: int = 0
    parts: int = 1
    reset: bool = False

    def arranged(self, weights: np.ndarray) -> np.ndarray:
        """Torch's rows in the order of `gates`, those of sigmoids halved."""
        blocks = weights.reshape(len(self.gates), -1, *weights.shape[1:])[list(self.gates)]
        blocks[: self.logistic] *= np.float32(0.5)
        return blocks.reshape(weights.shape)


def recurrent(name: str, weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:
    """The layers of an `rnn`, `gru` or `lstm`, read in one direction or in both."""
    cell = _RELU if parameters.get("nonlinearity") == "relu" else _CELLS[name]
    layers = sum(name.startswith("cell.weight_hh_l") and not name.endswith("_reverse") for name in weights)
    sides = ("", "_reverse") if "cell.weight_hh_l0_reverse" in weights else ("",)

    def body(inputs: Inputs) -> States:
        states = [inputs]
        for layer in range(layers):
            below = states[0] if len(states) == 1 else np.concatenate(states, axis=-1)
            states = [_direction(cell, weights, f"_l{layer}{side}", below) for side in sides]
        if len(sides) == 1:
            return states[0]
        forward, backward = states  # backwards, the state that has read the whole window
        return np.concatenate([forward, np.broadcast_to(backward[:, :1], backward.shape)], axis=-1)

    return body


def _direction(cell: Cell, weights: Weights, suffix: str, inputs: Inputs) -> States:
    """One layer read in one direction, from zero initial state; time is the outer axis in memory."""
    keep = np.ascontiguousarray(cell.arranged(weights[f"cell.weight_hh{suffix}"]).T)
    given, kept_bias = _given(cell, weights, suffix, inputs)
    batch, size = len(inputs), keep.shape[0]
    states = np.empty((inputs.shape[1], batch, size), np.float32)
    state: State = tuple(np.zeros((batch, size), np.float32) for _ in range(cell.parts))
    kept = np.empty((batch, keep.shape[1]), np.float32)
    times = range(len(states))
    for time in reversed(times) if suffix.endswith("_reverse") else times:
        _product(state[0], keep, kept)
        if kept_bias is not None:
            kept += kept_bias
        cell.advance(given[time], kept, state)
        states[time] = state[0]
    return states.swapaxes(0, 1)


def _given(
    cell: Cell, weights: Weights, suffix: str, inputs: Inputs
) -> tuple[Float[np.ndarray, "time batch gate"], Float[np.ndarray, " gate"] | None]:
    """What all candles say to the gates, and the bias of what the state says where it is a thing of its own."""
    read = cell.arranged(weights[f"cell.weight_ih{suffix}"])
    given = np.empty((inputs.shape[1], len(inputs), len(read)), np.float32)
    np.matmul(inputs, read.T, out=given.swapaxes(0, 1))  # ticker by ticker: alike alone and among others
    if f"cell.bias_ih{suffix}" not in weights:
        return given, None
    bias, kept_bias = (cell.arranged(weights[f"cell.bias_{side}{suffix}"]) for side in ("ih", "hh"))
    given += bias if cell.reset else bias + kept_bias
    return given, kept_bias if cell.reset else None


def _product(states: Float[np.ndarray, "batch hidden"], weights: Float[np.ndarray, "hidden gate"], out: Gates) -> None:
    """One product a row for a few rows: in a product of many the last bits of one depend on its place among them."""
    if len(states) > ALIKE:
        np.matmul(states, weights, out=out)
    else:
        np.matmul(states[:, None, :], weights, out=out[:, None, :])


def _rnn(given: Gates, kept: Gates, state: State) -> None:
    given += kept
    np.tanh(given, out=state[0])


def _relu_rnn(given: Gates, kept: Gates, state: State) -> None:
    given += kept
    np.maximum(given, np.float32(0), out=state[0])


def _gru(given: Gates, kept: Gates, state: State) -> None:
    (hidden,) = state
    size = hidden.shape[1]
    opened, new = given[:, : 2 * size], kept[:, 2 * size :]
    opened += kept[:, : 2 * size]
    _open(opened)
    new *= opened[:, :size]
    new += given[:, 2 * size :]
    np.tanh(new, out=new)
    hidden -= new
    hidden *= opened[:, size:]
    hidden += new


def _lstm(given: Gates, kept: Gates, state: State) -> None:
    hidden, memory = state
    size = hidden.shape[1]
    given += kept
    opened, new = given[:, : 3 * size], given[:, 3 * size :]
    np.tanh(new, out=new)
    _open(opened)
    memory *= opened[:, size : 2 * size]
    new *= opened[:, :size]
    memory += new
    np.tanh(memory, out=hidden)
    hidden *= opened[:, 2 * size :]


def _open(gates: Gates) -> None:
    """The sigmoid of twice the values, in their place."""
    np.tanh(gates, out=gates)
    gates *= np.float32(0.5)
    gates += np.float32(0.5)


_RELU = Cell(_relu_rnn)
_CELLS = {
    "rnn": Cell(_rnn),
    "gru": Cell(_gru, gates=(0, 1, 2), logistic=2, reset=True),
    "lstm": Cell(_lstm, gates=(0, 1, 3, 2), logistic=3, parts=2),
}
"""Torch stacks the gates of a GRU as reset, update, new, and those of an LSTM as input, forget, new, output."""
