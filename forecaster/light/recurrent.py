"""Hidden states of torch's RNN, LSTM and GRU in numpy, by the equations of torch's documentation.

Weights are [gates · hidden, inputs], the gates stacked. σ(x) is computed as (tanh(x / 2) + 1) / 2, which cannot
overflow. The weight rows of sigmoid gates are halved in advance and moved to the front, so that one tanh call serves
all gates of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecaster.axes import Float

REPRODUCIBLE_ROWS = 32
"""Up to this batch size, a forecast is the same to the last bit alone or in a batch; larger ones are twice as fast."""

Weights = Mapping[str, np.ndarray]
Inputs = Float[np.ndarray, "batch time feature"]
States = Float[np.ndarray, "batch time state"]
Gates = Float[np.ndarray, "batch gate"]
State = tuple[Float[np.ndarray, "batch hidden"], ...]


@dataclass(frozen=True)
class Cell:
    """The step function of a recurrent layer, in place.

    Args:
        advance: (W_ih·x + b, W_hh·h, state) → overwrites the state with the next one; its first array is h. The two
            pre-activations may be overwritten too.
        gates: index of each gate in torch's stacking, in the order that `advance` expects.
        logistic: number of gates, from the first on, that are sigmoids.
        parts: arrays in the state: h, and c for an LSTM.
        reset: whether W_hh·h + b_hh is multiplied by a reset gate, so that b_hh can't be merged into W_ih·x + b.
    """

    advance: Callable[[Gates, Gates, State], None]
    gates: tuple[int, ...] = (0,)
    logistic: int = 0
    parts: int = 1
    reset: bool = False

    def arranged(self, weights: np.ndarray) -> np.ndarray:
        """Torch's weight rows reordered by `gates`, the sigmoid ones halved."""
        # Indexing with a list copies, so that halving in place leaves the model's own weights alone.
        blocks = weights.reshape(len(self.gates), -1, *weights.shape[1:])[list(self.gates)]
        blocks[: self.logistic] *= np.float32(0.5)
        return blocks.reshape(weights.shape)


def recurrent(name: str, weights: Weights, parameters: Mapping[str, Any]) -> Callable[[Inputs], States]:
    """The layers of an `rnn`, `gru` or `lstm`, in one direction or both."""
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
        forward, backward = states  # the backward direction gives the state that has read the whole window
        return np.concatenate([forward, np.broadcast_to(backward[:, :1], backward.shape)], axis=-1)

    return body


def _direction(cell: Cell, weights: Weights, suffix: str, inputs: Inputs) -> States:
    """One layer in one direction, from a zero hidden state; time is the outer axis in memory."""
    w_hh = np.ascontiguousarray(cell.arranged(weights[f"cell.weight_hh{suffix}"]).T)
    from_input, state_bias = _input_terms(cell, weights, suffix, inputs)
    batch, size = len(inputs), w_hh.shape[0]
    states = np.empty((inputs.shape[1], batch, size), np.float32)
    state: State = tuple(np.zeros((batch, size), np.float32) for _ in range(cell.parts))
    from_state = np.empty((batch, w_hh.shape[1]), np.float32)
    times = range(len(states))
    for time in reversed(times) if suffix.endswith("_reverse") else times:
        _matmul(state[0], w_hh, from_state)
        if state_bias is not None:
            from_state += state_bias
        cell.advance(from_input[time], from_state, state)
        # A copy: `advance` overwrites the state in the next step.
        states[time] = state[0]
    return states.swapaxes(0, 1)


def _input_terms(
    cell: Cell, weights: Weights, suffix: str, inputs: Inputs
) -> tuple[Float[np.ndarray, "time batch gate"], Float[np.ndarray, " gate"] | None]:
    """W_ih·x + b for all time steps; b_hh is kept apart where it must be (GRU's reset gate)."""
    w_ih = cell.arranged(weights[f"cell.weight_ih{suffix}"])
    from_input = np.empty((inputs.shape[1], len(inputs), len(w_ih)), np.float32)
    np.matmul(inputs, w_ih.T, out=from_input.swapaxes(0, 1))  # one matmul per ticker: the same bits alone or in a batch
    if f"cell.bias_ih{suffix}" not in weights:
        return from_input, None
    bias, state_bias = (cell.arranged(weights[f"cell.bias_{side}{suffix}"]) for side in ("ih", "hh"))
    from_input += bias if cell.reset else bias + state_bias
    return from_input, state_bias if cell.reset else None


def _matmul(states: Float[np.ndarray, "batch hidden"], weights: Float[np.ndarray, "hidden gate"], out: Gates) -> None:
    """W_hh·h. Few rows are multiplied one by one: in a larger matmul, a row's last bits depend on its position."""
    if len(states) > REPRODUCIBLE_ROWS:
        np.matmul(states, weights, out=out)
    else:
        np.matmul(states[:, None, :], weights, out=out[:, None, :])


def _rnn(from_input: Gates, from_state: Gates, state: State) -> None:
    from_input += from_state
    np.tanh(from_input, out=state[0])


def _relu_rnn(from_input: Gates, from_state: Gates, state: State) -> None:
    from_input += from_state
    np.maximum(from_input, np.float32(0), out=state[0])


def _gru(from_input: Gates, from_state: Gates, state: State) -> None:
    (hidden,) = state
    size = hidden.shape[1]
    # r, z = σ(W_i·x + W_h·h), n = tanh(W_in·x + r (W_hn·h + b_hn)), h' = n + z (h − n).
    gates, new = from_input[:, : 2 * size], from_state[:, 2 * size :]
    gates += from_state[:, : 2 * size]
    _sigmoid_of_double(gates)
    new *= gates[:, :size]
    new += from_input[:, 2 * size :]
    np.tanh(new, out=new)
    hidden -= new
    hidden *= gates[:, size:]
    hidden += new


def _lstm(from_input: Gates, from_state: Gates, state: State) -> None:
    hidden, memory = state
    size = hidden.shape[1]
    from_input += from_state
    # Order of the gates: i, f, o, and the new memory g. c' = f c + i g, h' = o tanh(c').
    gates, new = from_input[:, : 3 * size], from_input[:, 3 * size :]
    np.tanh(new, out=new)
    _sigmoid_of_double(gates)
    memory *= gates[:, size : 2 * size]
    new *= gates[:, :size]
    memory += new
    np.tanh(memory, out=hidden)
    hidden *= gates[:, 2 * size :]


def _sigmoid_of_double(gates: Gates) -> None:
    """σ(2x), in place."""
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
