"""Networks that turn candles into states, behind one contract and a registry.

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
"""What a body keeps of the candles it has read, each tensor with the batch first; empty before the first candle."""


@runtime_checkable
class Body(Protocol):
    """What every network offers.

    Three things more may be there. `reach`, a number: the candles that a state can depend on, where they are bounded.
    `read(inputs, memory)`, giving states and the new memory: to go on reading without beginning anew; without it the
    candles read so far are read again. `tail(inputs, last)`: the states at the last candles alone, where that is less
    work than all.

    Attributes:
        output_size: width of the states.
        causal: a state has seen no later input, so that a forecast can be learnt at each candle.
        skip: the readout also sees the inputs, linearly.
    """

    output_size: int
    causal: bool
    skip: bool

    def __call__(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]: ...


MODELS: Registry[Callable[..., Body]] = Registry("model", f"{__name__}.bodies", __name__)
