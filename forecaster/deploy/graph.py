"""Builds an ONNX graph node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecaster.errors import InputError

OPSET = 20
"""The first opset with Gelu; onnxruntime 1.17 and later support it."""


class Graph:
    """Nodes and constants added so far; values are referred to by name."""

    def __init__(self) -> None:
        self._onnx = _library()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._count = 0

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of names if it has several."""
        names = [self._name() for _ in range(outputs)]
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        """Add an array; returns its name."""
        name = self._name()
        array = np.asarray(values, kind, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def integers(self, *values: int) -> str:
        """Add integers, for sizes, axes and indices."""
        return self.constant(values, np.int64)

    def linear(self, values: str, weights: Mapping[str, np.ndarray], name: str) -> str:
        """Add a `torch.nn.Linear`."""
        found: str = self.op("MatMul", values, self.constant(weights[f"{name}.weight"].T))
        bias = weights.get(f"{name}.bias")
        return found if bias is None else str(self.op("Add", found, self.constant(bias)))

    def newest(self, values: str, count: int = 1) -> str:
        """The last `count` candles of "batch time …"."""
        start, end, axis = self.integers(-count), self.integers(np.iinfo(np.int64).max), self.integers(1)
        return str(self.op("Slice", values, start, end, axis))

    def squeeze(self, values: str, axis: int) -> str:
        """Remove an axis of length 1."""
        return str(self.op("Squeeze", values, self.integers(axis)))

    def bytes(
        self, input_axes: Sequence[Any], output: str, output_axes: Sequence[Any], about: Mapping[str, str]
    ) -> bytes:
        """Serialise to a file with input `inputs`, output `quantiles`, and metadata."""
        helper = self._onnx.helper
        self._nodes.append(helper.make_node("Identity", [output], ["quantiles"]))
        kind = self._onnx.TensorProto.FLOAT
        given = helper.make_tensor_value_info("inputs", kind, input_axes)
        found = helper.make_tensor_value_info("quantiles", kind, output_axes)
        graph = helper.make_graph(self._nodes, "forecaster", [given], [found], self._constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, producer_name="forecaster", opset_imports=[opset], ir_version=9)
        helper.set_model_props(model, dict(about))
        self._onnx.checker.check_model(model, full_check=True)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _library() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise InputError("--to onnx needs the onnx library: pip install 'stock-forecaster[onnx]'.") from error
    return onnx
