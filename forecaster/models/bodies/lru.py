"""A linear recurrent unit: running means of the inputs with learnt half-lives."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn.functional import gelu, softplus

from forecaster.axes import Float
from forecaster.models import MODELS, Memory


class LinearRecurrent(nn.Module):
    """A diagonal linear recurrence, then one layer on the means and the newest candle.

    Classical volatility forecasts are running means of past moves; here the network learns what to average, and over
    how long. There is no gate: each mean decays at a constant rate, whatever the input.

    Args:
        input_size: features per candle.
        hidden_size: running means, and width of the states.
        half_life: initial half-life of the slowest mean, in candles; the fastest starts at 1.
        skip: let the readout see the inputs too, linearly.

    Source: Orvieto et al. (2023), "Resurrecting Recurrent Neural Networks for Long Sequences", with real eigenvalues.
    """

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: Annotated[int, Ge(1), Le(16_384)] = 64,
        half_life: Annotated[float, Ge(1), Le(100_000)] = 60.0,
        skip: bool = True,
    ) -> None:
        super().__init__()
        self.given = nn.Linear(input_size, hidden_size)
        # Half-lives spaced evenly in their logarithm, 1 … `half_life`.
        decay = math.log(2) / torch.logspace(0, math.log10(half_life), hidden_size)
        # The inverse of softplus, which keeps the learnt decay positive: no mean can grow.
        self.rate = nn.Parameter(torch.log(torch.expm1(decay)))
        self.mix = nn.Linear(hidden_size, hidden_size)
        self.direct = nn.Linear(input_size, hidden_size)
        self.output_size = hidden_size
        self.causal = True
        self.skip = skip

    def forward(self, inputs: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch time state"]:
        """States at every candle, from zero initial state."""
        return self.read(inputs)[0]

    def read(
        self, inputs: Float[Tensor, "batch time feature"], memory: Memory = ()
    ) -> tuple[Float[Tensor, "batch time state"], Memory]:
        """States, and the memory to resume from: the means (hidden state) at the newest candle."""
        decay = softplus(self.rate)
        # √(1 − λ²), λ = e^−decay: a mean of white noise then has the variance of the noise, however slow it is.
        means = torch.sqrt(-torch.expm1(-2 * decay)) * self.given(inputs)
        # Parallel prefix sum: log₂(time) passes over the whole tensor instead of one step a candle.
        shift = 1
        while shift < means.shape[1]:
            reached = means[:, shift:] + torch.exp(-decay * shift) * means[:, :-shift]
            # cat, not an in-place sum: autograd still needs the values before it.
            means = torch.cat([means[:, :shift], reached], dim=1)
            shift *= 2
        for previous in memory:
            # The recurrence is linear, so the old state's contribution can be added at the end.
            ages = torch.arange(1, means.shape[1] + 1, device=means.device)[:, None]
            means = means + torch.exp(-decay * ages) * previous[:, None]
        return gelu(self.mix(means) + self.direct(inputs)), (means[:, -1],)


MODELS.add("lru", LinearRecurrent)
