"""Networks ("bodies") that turn candles into hidden states: one contract, one registry.

A body maps inputs "batch time feature" to states "batch time state". Its constructor takes `input_size` and, by
keyword, plain numbers: that signature is the schema of the YAML's `model:` section.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from forecaster.axes import Float
from forecaster.registry import Registry

Memory = tuple[Tensor, ...]
"""State carried over from the candles read so far (e.g. the hidden state), batch first; empty before the first."""


@runtime_checkable
class Body(Protocol):
    """The contract of every network.

    Three optional members. `reach` (a number): how many candles a state can depend on, if that is bounded.
    `read(inputs, memory)` → states and new memory: resumes from the hidden state; without it, the candles read so far
    are read again. `tail(inputs, last)`: the states of the last candles only, where that costs less than all of them.

    Attributes:
        output_size: width of the states.
        causal: a state depends on no later input, so that every candle can be a training target.
        skip: the readout also sees the inputs directly (linear skip connection).
    """

    output_size: int
    causal: bool
    skip: bool

    def __call__(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]: ...


MODELS: Registry[Callable[..., Body]] = Registry("model", f"{__name__}.bodies", __name__)
