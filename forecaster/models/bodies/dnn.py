"""A feed-forward network on the last candle, or on a flattened window of the last few."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

from annotated_types import Ge, Le, Lt
from torch import Tensor, nn
from torch.nn.functional import pad

from forecaster.axes import Float
from forecaster.models import MODELS


class Dense(nn.Module):
    """Dense layers without memory: the input is a flattened window of `window` candles.

    The first layer is a convolution over time with the window's width: a linear layer on the flattened window, applied
    at every candle. Before a chunk's first candle the input is zero-padded.

    Args:
        input_size: features per candle.
        window: candles that are read; 1 is the last candle alone.
        hidden_size: width of each layer.
        num_layers: layers, each followed by a GELU.
        bias: whether the layers have bias terms.
        dropout: share of the units dropped after each layer in training.
        skip: let the readout see the inputs too, linearly.
    """

    def __init__(
        self,
        input_size: int,
        *,
        window: Annotated[int, Ge(1), Le(2000)] = 1,
        hidden_size: Annotated[int, Ge(1), Le(16_384)] = 64,
        num_layers: Annotated[int, Ge(1), Le(128)] = 2,
        bias: bool = True,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        skip: bool = True,
    ) -> None:
        super().__init__()
        self.first = nn.Conv1d(input_size, hidden_size, window, bias=bias)
        deeper = (nn.Linear(hidden_size, hidden_size, bias=bias) for _ in range(num_layers - 1))
        parts = ((layer, nn.GELU(), nn.Dropout(dropout)) for layer in deeper)
        self.layers = nn.Sequential(nn.GELU(), nn.Dropout(dropout), *chain.from_iterable(parts))
        self.reach = window
        self.output_size = hidden_size
        self.causal = True
        self.skip = skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]:
        """The last layer at every candle."""
        # On the left only, so that no state sees a later candle.
        before = pad(inputs.transpose(1, 2), (self.reach - 1, 0))
        states: Tensor = self.layers(self.first(before).transpose(1, 2))
        return states


MODELS.add("dnn", Dense)
