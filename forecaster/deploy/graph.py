"""An ONNX graph as it is written down, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecaster.errors import InputError

OPSET = 20
"""The first with Gelu; onnxruntime 1.17 and later run it."""


class Graph:
    """Nodes and constants so far; a value is known by its name."""

    def __init__(self) -> None:
        self._onnx = _library()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._count = 0

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node: the name of its output, or their names where there are several."""
        names = [self._name() for _ in range(outputs)]
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        """Add an array."""
        name = self._name()
        array = np.asarray(values, kind, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def whole(self, *values: int) -> str:
        """Whole numbers, for sizes, axes and places."""
        return self.constant(values, np.int64)

    def linear(self, values: str, weights: Mapping[str, np.ndarray], name: str) -> str:
        """`torch.nn.Linear`."""
        found: str = self.op("MatMul", values, self.constant(weights[f"{name}.weight"].T))
        bias = weights.get(f"{name}.bias")
        return found if bias is None else str(self.op("Add", found, self.constant(bias)))

    def newest(self, values: str, count: int = 1) -> str:
        """The last candles of "batch time …"."""
        start, end, axis = self.whole(-count), self.whole(np.iinfo(np.int64).max), self.whole(1)
        return str(self.op("Slice", values, start, end, axis))

    def squeezed(self, values: str, axis: int) -> str:
        """Without an axis of length 1."""
        return str(self.op("Squeeze", values, self.whole(axis)))

    def bytes(
        self, input_axes: Sequence[Any], output: str, output_axes: Sequence[Any], about: Mapping[str, str]
    ) -> bytes:
        """The file: input `inputs`, output `quantiles`, and metadata."""
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
        raise InputError("--to onnx needs the onnx library: pip install 'forecaster[onnx]'.") from error
    return onnx
