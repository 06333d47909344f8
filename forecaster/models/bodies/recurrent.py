"""RNN, LSTM and GRU: one class over torch's modules, with our own backward pass (`bptt`) where it trains faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le, Lt
from torch import Tensor, cat, nn

from forecaster.axes import Float
from forecaster.models import MODELS, Memory
from forecaster.models.bodies.bptt import has_backward_pass, last_states


class Recurrent(nn.Module):
    """A recurrent network from zero initial state.

    Args:
        input_size: features per candle.
        cell: `nn.RNN`, `nn.LSTM` or `nn.GRU`.
        hidden_size: width of the state of one direction.
        num_layers: recurrent layers, each reading the one below.
        nonlinearity: of the plain RNN: `tanh`, or `relu`, whose states are not bounded.
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
        hidden_size: Annotated[int, Ge(1), Le(16_384)] = 64,
        num_layers: Annotated[int, Ge(1), Le(128)] = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
        bidirectional: bool = False,
        skip: bool = True,
    ) -> None:
        super().__init__()
        if dropout and num_layers == 1:
            raise ValueError(f"dropout is {dropout}, but acts only between layers: set num_layers to 2 or dropout to 0")
        plain = {"nonlinearity": nonlinearity} if cell is nn.RNN else {}  # torch's LSTM and GRU take no such argument
        self.cell = cell(
            input_size,
            hidden_size,
            num_layers=num_layers,
            bias=bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
            **plain,
        )
        self.hidden_size = hidden_size
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.causal = not bidirectional
        self.skip = skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]:
        """Hidden states at every candle; the backward direction gives the state that has read the whole window."""
        return self.tail(inputs, inputs.shape[1])

    def tail(self, inputs: Float[Tensor, "batch time feature"], last: int) -> Float[Tensor, "batch last state"]:
        """`forward` at the last candles only. In training, earlier candles get gradients through time alone."""
        if torch.is_grad_enabled() and inputs.device.type == "cpu" and has_backward_pass(self.cell):
            return last_states(self.cell, inputs, last)
        states, final = self.read(inputs)
        states = states[:, -last:]
        if self.causal:
            return states
        # The last entry of h_n is the top layer's backward direction, once it has read down to the first candle.
        backward = final[0][:, -1:].expand(-1, states.shape[1], -1)
        return cat([states[..., : self.hidden_size], backward], dim=-1)

    def read(
        self, inputs: Float[Tensor, "batch time feature"], memory: Memory = ()
    ) -> tuple[Float[Tensor, "batch time state"], Memory]:
        """Resume from the hidden state: the memory is h_n (and an LSTM's c_n), each "batch layer hidden"."""
        before = tuple(part.transpose(0, 1).contiguous() for part in memory)
        single = not isinstance(self.cell, nn.LSTM)
        states, final = self.cell(inputs, (before[0] if single else before) if before else None)
        return states, tuple(part.transpose(0, 1) for part in ((final,) if single else final))


MODELS.add("rnn", partial(Recurrent, cell=nn.RNN))
MODELS.add("lstm", partial(Recurrent, cell=nn.LSTM, nonlinearity="tanh"))
MODELS.add("gru", partial(Recurrent, cell=nn.GRU, nonlinearity="tanh"))
