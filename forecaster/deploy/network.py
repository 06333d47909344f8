"""Networks of a model file → one ONNX file: the mean of their coherent, standardised quantiles."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from forecaster.config.schema import VARIABLES, ModelConfig, TaskConfig
from forecaster.deploy.bodies import BODIES, Weights, gru_step
from forecaster.deploy.graph import Graph
from forecaster.errors import InputError
from forecaster.modelfile import Model
from forecaster.tensorfile import part_of

_STANDARDISE = (
    "inputs: the named features of each candle, oldest first, at least `candles` of them; "
    "quantiles: of log(price / last close) / (scale * sqrt(step)), axes batch, step, variable, level; "
    "price = last_close * exp(quantile * scale * sqrt(step)); scale: daily volatility known at the newest close, "
    "sqrt(max(EWMA(v), 1e-6)) with half-life 11 sessions, v = gap^2 + max(0.5 * log(high / low)^2 - (2 ln 2 - 1) * "
    "log(close / open)^2, 0), gap = log(open / previous close); features: NaN is 0, clipped at -8 and 8."
)


def onnx_bytes(model: Model) -> bytes:
    """The ONNX file, from the production weights if the run has any.

    Raises:
        InputError: the onnx library is not installed, or a network has no ONNX form.
    """
    graph, task = Graph(), model.config.task
    refit = model.header.refit
    base = (refit or model.header).base.astype(np.float32)[: len(task.learnt)]
    members, place = [], "production/" if refit else ""
    for index, network in enumerate(model.config.networks):
        quantiles = _member(graph, network, task, part_of(model.tensors, f"{place}{index}/"), base)
        members.append(_coherent(graph, quantiles))
    mean = members[0] if len(members) == 1 else _coherent(graph, _mean(graph, members, model.config.weights))
    axes = ("batch", *base.shape[:2], len(task.levels))
    return graph.bytes(("batch", "time", len(model.header.features)), mean, axes, _about(model))


def _mean(graph: Graph, members: Sequence[str], weights: Sequence[float]) -> str:
    shares = np.asarray(weights) / sum(weights)
    parts = [graph.op("Mul", one, graph.constant(share)) for one, share in zip(members, shares, strict=True)]
    return str(graph.op("Sum", *parts))


def _about(model: Model) -> dict[str, str]:
    task = model.config.task
    return {
        "features": json.dumps(model.header.features),
        "steps": json.dumps(task.learnt),
        "variables": json.dumps(VARIABLES),
        "levels": json.dumps(task.levels),
        "candles": str(task.read),
        "supervision": task.supervision,
        "decoder": task.decoder,
        "calibration": "none: rolling calibration is no part of the network",
        "fitted_to": str((model.header.refit or model.header).fitted_to),
        "how": _STANDARDISE,
    }


def _member(graph: Graph, network: ModelConfig, task: TaskConfig, weights: Weights, base: np.ndarray) -> str:
    if network.name not in BODIES:
        known = ", ".join(sorted(BODIES))
        raise InputError(
            f"model {network.name} has no ONNX form: those that do are {known}; export a run of one of them."
        )
    body = part_of(weights, "body.")
    states = BODIES[network.name](graph, "inputs", body, network.parameters)
    newest = graph.squeeze(graph.newest("inputs"), 1)
    decoder_steps = len(base) if "carry.weight_ih" in weights else 1
    found: list[str] = []
    for step, part in enumerate(np.split(base, decoder_steps)):
        if step:
            states = gru_step(graph, _median(graph, found[-1], len(task.levels)), states, weights)
        raw = graph.linear(states, weights, "readout")
        if "skip.weight" in weights:
            skip = {key: np.split(weights[key], decoder_steps)[step] for key in ("skip.weight", "skip.bias")}
            raw = graph.op("Add", raw, graph.linear(newest, skip, "skip"))
        cells = graph.op("Reshape", raw, graph.integers(0, *part.shape[:2], -1))
        found.append(_HEADS[task.head](graph, cells, part))
    return found[0] if decoder_steps == 1 else str(graph.op("Concat", *found, axis=1))


def _median(graph: Graph, quantiles: str, levels: int) -> str:
    middle = graph.op("Gather", quantiles, graph.constant(levels // 2, np.int64), axis=3)
    return graph.squeeze(middle, 1)


def _scale(graph: Graph, raw: str, base: np.ndarray) -> str:
    return str(graph.op("Mul", graph.op("Exp", raw), graph.constant(base)))


def _point(graph: Graph, raw: str, base: np.ndarray) -> str:
    return str(graph.op("Add", raw, graph.constant(base)))


def _quantile(graph: Graph, raw: str, base: np.ndarray) -> str:
    # As in `models.heads.Quantile`, the floor included.
    steps = np.maximum(np.diff(base), np.float32(1e-4))
    start, rises = graph.op("Split", raw, graph.integers(1, steps.shape[-1]), outputs=2, axis=3)
    lowest = graph.op("Add", start, graph.constant(base[..., :1]))
    shifted = graph.op("Add", rises, graph.constant(steps + np.log(-np.expm1(-steps))))
    above = graph.op("CumSum", graph.op("Softplus", shifted), graph.constant(3, np.int64))
    return str(graph.op("Concat", lowest, graph.op("Add", lowest, above), axis=3))


_HEADS = {"scale": _scale, "point": _point, "quantile": _quantile}


def _coherent(graph: Graph, quantiles: str) -> str:
    """As `data.coherence.coherent`; the heads' levels ascend already."""
    opens, highs, lows, closes = graph.op("Split", quantiles, outputs=4, axis=2, num_outputs=len(VARIABLES))
    parts: Sequence[str] = (
        opens,
        graph.op("Max", highs, opens, closes),
        graph.op("Min", lows, opens, closes),
        closes,
    )
    return str(graph.op("Concat", *parts, axis=2))
