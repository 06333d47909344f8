"""A body, a direct readout and a head: inputs → standardised quantiles for all steps at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from forecaster.axes import Float
from forecaster.models import Body
from forecaster.models.heads import make_head
from forecaster.models.threads import one_thread

_INITIAL_WEIGHT = 0.01
"""Spread of the readout's first weights: small, so that training starts at the base quantiles."""


class Network(nn.Module):
    """Reads candles and gives, at each of the last ones, quantiles for every step and price.

    The readout decodes from the newest state, so that step 1 depends on the newest candle.

    Args:
        body: makes the states.
        input_size: features a candle.
        head: name of the head.
        base: pooled training quantiles of the standardised move.
    """

    def __init__(
        self, body: Body, *, input_size: int, head: str, base: Float[Tensor, "horizon variable quantile"]
    ) -> None:
        super().__init__()
        self.body = body
        self.head = make_head(head, base)
        self.cells = (*base.shape[:2], self.head.parameters_per_cell)
        outputs = base.shape[0] * base.shape[1] * self.head.parameters_per_cell
        self.readout = nn.Linear(body.output_size, outputs)
        self.skip = nn.Linear(input_size, outputs) if body.skip else None
        nn.init.normal_(self.readout.weight, std=_INITIAL_WEIGHT)
        nn.init.zeros_(self.readout.bias)
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)

    def forward(
        self, inputs: Float[Tensor, "batch time feature"], last: int
    ) -> Float[Tensor, "batch last horizon variable quantile"]:
        """Forecasts made at each of the `last` candles."""
        raw = self.readout(self.body(inputs)[:, -last:])
        if self.skip is not None:
            raw = raw + self.skip(inputs[:, -last:])
        quantiles: Tensor = self.head(raw.unflatten(-1, self.cells))
        return quantiles

    @one_thread()
    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """`forward` on arrays, without gradients: what a forecast asks of any network."""
        with torch.inference_mode():
            outputs = self(torch.from_numpy(inputs).to(self.readout.weight.device), last)
        array: np.ndarray = outputs.cpu().numpy()
        return array
