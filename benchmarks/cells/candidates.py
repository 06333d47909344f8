"""Recurrent cells of today that were tried and did not earn a place: one layer each, from zero initial state.

Importing this registers them as models, as any package could.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from forecaster.axes import Float
from forecaster.models import MODELS

States = Float[Tensor, "batch time state"]


def linear_scan(keep: States, given: States) -> States:
    """h_t = keep_t · h_{t−1} + given_t from h = 0, in log₂(time) passes over all of time."""
    shift = 1
    while shift < given.shape[1]:
        given = torch.cat([given[:, :shift], given[:, shift:] + keep[:, shift:] * given[:, :-shift]], dim=1)
        keep = torch.cat([keep[:, :shift], keep[:, shift:] * keep[:, :-shift]], dim=1)
        shift *= 2
    return given


class MinGRU(nn.Module):
    """A GRU whose gate and new state see the input alone.

    Source: Feng, Tung, Ahmed, Bengio & Hajimirsadeghi (2024), "Were RNNs All We Needed?", equation of minGRU.
    """

    def __init__(self, input_size: int, *, hidden_size: Annotated[int, Ge(1)] = 64, skip: bool = True) -> None:
        super().__init__()
        self.given = nn.Linear(input_size, 2 * hidden_size)
        self.output_size, self.causal, self.skip = hidden_size, True, skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> States:
        gate, new = self.given(inputs).chunk(2, dim=-1)
        update = torch.sigmoid(gate)
        return linear_scan(1 - update, update * new)


class SLSTM(nn.Module):
    """xLSTM's sLSTM: exponential input gate, a normaliser, and a stabiliser that keeps both in range.

    Source: Beck et al. (2024), "xLSTM: Extended Long Short-Term Memory", equations 8 to 17.
    """

    def __init__(self, input_size: int, *, hidden_size: Annotated[int, Ge(1)] = 64, skip: bool = True) -> None:
        super().__init__()
        self.given = nn.Linear(input_size, 4 * hidden_size)
        self.kept = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        nn.init.uniform_(self.kept.weight, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))
        with torch.no_grad():
            self.given.bias[hidden_size : 2 * hidden_size] = torch.linspace(1, 5, hidden_size)  # forget gates
        self.output_size, self.causal, self.skip = hidden_size, True, skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> States:
        given = self.given(inputs)
        zero = given.new_zeros(len(inputs), self.output_size)
        hidden, cell, normaliser, largest, states = zero, zero, zero, zero - 30.0, []
        for time in range(inputs.shape[1]):
            into, forget, new, out = (given[:, time] + self.kept(hidden)).chunk(4, dim=-1)
            before = logsigmoid(forget) + largest
            largest = torch.maximum(before, into)
            keep, take = torch.exp(before - largest), torch.exp(into - largest)
            cell = keep * cell + take * torch.tanh(new)
            normaliser = keep * normaliser + take
            hidden = torch.sigmoid(out) * cell / normaliser.clamp_min(1e-6)
            states.append(hidden)
        return torch.stack(states, dim=1)


class MinLSTM(nn.Module):
    """An LSTM whose gates see the input alone, normalised to sum to one.

    Source: Feng et al. (2024), equation of minLSTM.
    """

    def __init__(self, input_size: int, *, hidden_size: Annotated[int, Ge(1)] = 64, skip: bool = True) -> None:
        super().__init__()
        self.given = nn.Linear(input_size, 3 * hidden_size)
        self.output_size, self.causal, self.skip = hidden_size, True, skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> States:
        forget, into, new = self.given(inputs).chunk(3, dim=-1)
        share = torch.sigmoid(logsigmoid(forget) - logsigmoid(into))
        return linear_scan(share, (1 - share) * new)


for _name, _cell in {"mingru": MinGRU, "minlstm": MinLSTM, "slstm": SLSTM}.items():
    MODELS.add(_name, _cell)
