"""RNN, LSTM and GRU: one class over torch's modules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from annotated_types import Ge, Lt
from torch import Tensor, cat, nn

from forecaster.axes import Float
from forecaster.models import MODELS


class Recurrent(nn.Module):
    """A recurrent network from zero initial state.

    Args:
        input_size: features a candle.
        cell: `nn.RNN` (tanh), `nn.LSTM` or `nn.GRU`.
        hidden_size: width of the state of one direction.
        num_layers: recurrent layers, each reading the one below.
        bias: whether the cells have bias terms.
        dropout: share of the states dropped between layers in training; needs more than one layer.
        bidirectional: read the window backwards as well; every state then knows the whole window.
        skip: let the readout see the inputs too, linearly.

    Raises:
        ValueError: dropout with a single layer, where torch would ignore it.

    Source: Elman (1990); Hochreiter & Schmidhuber (1997); Cho et al. (2014).
    """

    def __init__(
        self,
        input_size: int,
        *,
        cell: Callable[..., nn.RNNBase],
        hidden_size: Annotated[int, Ge(1)] = 64,
        num_layers: Annotated[int, Ge(1)] = 1,
        bias: bool = True,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        bidirectional: bool = False,
        skip: bool = True,
    ) -> None:
        super().__init__()
        if dropout and num_layers == 1:
            raise ValueError(f"dropout is {dropout}, but acts only between layers: set num_layers to 2 or dropout to 0")
        self.cell = cell(
            input_size,
            hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )
        self.hidden_size = hidden_size
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.causal = not bidirectional
        self.skip = skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]:
        """States at every candle; backwards, the state that has read the whole window."""
        states, final = self.cell(inputs)
        if self.causal:
            return states
        hidden = final[0] if isinstance(final, tuple) else final  # an LSTM's is (h_n, c_n)
        backward = hidden[-1][:, None, :].expand(-1, states.shape[1], -1)
        return cat([states[..., : self.hidden_size], backward], dim=-1)


MODELS.add("rnn", partial(Recurrent, cell=nn.RNN))
MODELS.add("lstm", partial(Recurrent, cell=nn.LSTM))
MODELS.add("gru", partial(Recurrent, cell=nn.GRU))
