"""Inputs → hidden state at the newest candle, as ONNX nodes, for each network of `forecaster.models`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from forecaster.deploy.graph import Graph
from forecaster.tensorfile import part_of

Weights = Mapping[str, np.ndarray]
Body = Callable[[Graph, str, Weights, Mapping[str, Any]], str]


def _recurrent(
    kind: str, gates: tuple[int, ...], graph: Graph, inputs: str, weights: Weights, parameters: Mapping[str, Any]
) -> str:
    sides = ("", "_reverse") if "cell.weight_hh_l0_reverse" in weights else ("",)
    layers = sum(name.startswith("cell.weight_hh_l") for name in weights) // len(sides)
    # Torch's reset gate multiplies W_hn·h + b_hn, ONNX's by default h itself.
    options: dict[str, Any] = {"linear_before_reset": 1} if kind == "GRU" else {}
    if kind == "RNN":
        options["activations"] = [str(parameters.get("nonlinearity", "tanh")).capitalize()] * len(sides)
    states, final = graph.op("Transpose", inputs, perm=[1, 0, 2]), ""
    for layer in range(layers):
        cells = [_cell(weights, "cell.", f"_l{layer}{side}", gates) for side in sides]
        states, final = recurrence(graph, kind, states, cells, "", options)
    # Last hidden states of both directions: the backward one has read the whole window.
    return str(graph.op("Reshape", graph.op("Transpose", final, perm=[1, 0, 2]), graph.integers(0, -1)))


def recurrence(
    graph: Graph, kind: str, inputs: str, cells: list[tuple[np.ndarray, ...]], initial: str, options: dict[str, Any]
) -> tuple[str, str]:
    """One layer on "time batch feature": hidden states "time batch state", final ones "direction batch hidden"."""
    given, kept, bias = (graph.constant(np.stack(part)) for part in zip(*cells, strict=True))
    direction = "bidirectional" if len(cells) == 2 else "forward"
    hidden = cells[0][1].shape[1]
    found, final = graph.op(
        kind, inputs, given, kept, bias, "", initial, outputs=2, hidden_size=hidden, direction=direction, **options
    )
    # ONNX gives "time direction batch hidden".
    joined = graph.op("Transpose", found, perm=[0, 2, 1, 3])
    return graph.op("Reshape", joined, graph.integers(0, 0, len(cells) * hidden)), final


def _cell(weights: Weights, prefix: str, suffix: str, gates: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Input weights, recurrent weights and both biases of a cell, with the gates in ONNX's order."""

    def ordered(array: np.ndarray) -> np.ndarray:
        parts = np.split(array, len(gates))
        return np.concatenate([parts[gate] for gate in gates])

    given, kept = (ordered(weights[f"{prefix}weight_{side}{suffix}"]) for side in ("ih", "hh"))
    blank = np.zeros(len(given), np.float32)
    biases = [weights.get(f"{prefix}bias_{side}{suffix}", blank) for side in ("ih", "hh")]
    return given, kept, np.concatenate([ordered(bias) for bias in biases])


# Torch stacks r, z, n and i, f, g, o; ONNX expects z, r, n and i, o, f, g.
GRU_GATES, LSTM_GATES = (1, 0, 2), (0, 3, 1, 2)


def gru_step(graph: Graph, fed: str, states: str, weights: Weights) -> str:
    """One step of the decoder's `torch.nn.GRUCell`, the weights `carry.*`."""
    cell = _cell(weights, "carry.", "", GRU_GATES)
    first = graph.integers(0)
    before, given = graph.op("Unsqueeze", states, first), graph.op("Unsqueeze", fed, first)
    _, final = recurrence(graph, "GRU", given, [cell], before, {"linear_before_reset": 1})
    return graph.squeeze(final, 0)


def _dnn(graph: Graph, inputs: str, weights: Weights, parameters: Mapping[str, Any]) -> str:  # noqa: ARG001
    first = weights["first.weight"]  # [hidden, feature, window]
    padded = graph.op("Pad", inputs, graph.integers(0, first.shape[2] - 1, 0, 0, 0, 0))
    window = graph.op("Flatten", graph.newest(padded, first.shape[2]))
    # Weights in the order in which Flatten lays out the window: candle by candle.
    flat = {"first.weight": first.transpose(0, 2, 1).reshape(len(first), -1)}
    flat |= {"first.bias": weights["first.bias"]} if "first.bias" in weights else {}
    states = graph.op("Gelu", graph.linear(window, flat, "first"))
    for layer in sorted(int(name.split(".")[1]) for name in weights if re.fullmatch(r"layers\.\d+\.weight", name)):
        states = graph.op("Gelu", graph.linear(states, weights, f"layers.{layer}"))
    return str(states)


def _lru(graph: Graph, inputs: str, weights: Weights, parameters: Mapping[str, Any]) -> str:  # noqa: ARG001
    decay = np.logaddexp(weights["rate"], np.float32(0))
    # The recurrence in closed form, Σ e^(−decay · age) · input: a graph of plain operations has no loop.
    age = graph.op("Sub", graph.op("Neg", _places(graph, inputs)), graph.constant([1]))
    fading = graph.op("Mul", _last_first(graph, inputs, age), graph.constant(-decay))
    given = graph.op("Mul", graph.linear(inputs, weights, "given"), graph.constant(np.sqrt(-np.expm1(-2 * decay))))
    means = graph.op("ReduceSum", graph.op("Mul", given, graph.op("Exp", fading)), graph.integers(1), keepdims=0)
    newest = graph.squeeze(graph.newest(inputs), 1)
    mixed = graph.op("Add", graph.linear(means, weights, "mix"), graph.linear(newest, weights, "direct"))
    return str(graph.op("Gelu", mixed))


def _attention(graph: Graph, inputs: str, weights: Weights, parameters: Mapping[str, Any]) -> str:  # noqa: ARG001
    states = graph.linear(inputs, weights, "embed")
    places = _places(graph, inputs)
    rows, columns = (graph.op("Unsqueeze", places, graph.integers(axis)) for axis in (1, 0))
    distance = graph.op("Sub", rows, columns)
    for layer in range(sum(name.endswith(".distance") for name in weights)):
        inner = part_of(weights, f"layers.{layer}.")
        context = _attend(graph, _norm(graph, states, inner, "norm"), inner, distance)
        states = graph.op("Add", states, graph.linear(context, inner, "merge"))
        wide = graph.op("Gelu", graph.linear(_norm(graph, states, inner, "wide_norm"), inner, "wide.0"))
        states = graph.op("Add", states, graph.linear(wide, inner, "wide.2"))
    return graph.squeeze(graph.newest(_norm(graph, states, weights, "norm")), 1)


def _attend(graph: Graph, states: str, weights: Weights, distance: str) -> str:
    heads, span = weights["distance"].shape
    part = len(weights["merge.bias"]) // heads
    joined = graph.linear(states, weights, "queries_keys_values")
    split = graph.op("Reshape", joined, graph.integers(0, 0, 3, heads, part))
    queries, keys, values = (
        graph.squeeze(one, 0)
        for one in graph.op("Split", graph.op("Transpose", split, perm=[2, 0, 3, 1, 4]), outputs=3, num_outputs=3)
    )
    within = graph.op("Clip", distance, graph.constant(0), graph.constant(span - 1))
    index = graph.op("Cast", within, to=7)  # to whole numbers
    bias = graph.op("Gather", graph.constant(weights["distance"]), index, axis=1)
    # Clipping changes only distances out of reach and the negative ones of later candles.
    seen = graph.op("Equal", within, distance)
    likeness = graph.op("MatMul", queries, graph.op("Transpose", keys, perm=[0, 1, 3, 2]))
    scores = graph.op("Add", graph.op("Mul", likeness, graph.constant(1 / math.sqrt(part))), bias)
    shares = graph.op("Softmax", graph.op("Where", seen, scores, graph.constant(-np.inf)), axis=-1)
    found = graph.op("Transpose", graph.op("MatMul", shares, values), perm=[0, 2, 1, 3])
    return str(graph.op("Reshape", found, graph.integers(0, 0, heads * part)))


def _norm(graph: Graph, values: str, weights: Weights, name: str) -> str:
    scale, shift = (graph.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return str(graph.op("LayerNormalization", values, scale, shift, axis=-1, epsilon=1e-5))


def _time(graph: Graph, inputs: str) -> str:
    """Number of candles of the input, as a float."""
    return str(graph.op("Cast", graph.squeeze(graph.op("Shape", inputs, start=1, end=2), 0), to=1))


def _places(graph: Graph, inputs: str) -> str:
    """0, 1, … for each candle of the input."""
    first, step = graph.constant(0), graph.constant(1)
    return str(graph.op("Range", first, _time(graph, inputs), step))


def _last_first(graph: Graph, inputs: str, age: str) -> str:
    """Number of candles after each one, as a column: 0 for the newest."""
    return str(graph.op("Unsqueeze", graph.op("Add", age, _time(graph, inputs)), graph.integers(1)))


BODIES: dict[str, Body] = {
    "rnn": partial(_recurrent, "RNN", (0,)),
    "gru": partial(_recurrent, "GRU", GRU_GATES),
    "lstm": partial(_recurrent, "LSTM", LSTM_GATES),
    "dnn": _dnn,
    "lru": _lru,
    "attention": _attention,
}
