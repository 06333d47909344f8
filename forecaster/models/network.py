"""A body, a decoder and a head: inputs → standardised quantiles for every step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from forecaster.axes import Float
from forecaster.models import Body, Memory
from forecaster.models.heads import make_head
from forecaster.models.threads import one_thread

_INITIAL_WEIGHT = 0.01
"""Spread of the readout's first weights: small, so that training starts at the base quantiles."""

Truth = Float[Tensor, "batch last horizon variable"]
Quantiles = Float[Tensor, "batch last horizon variable quantile"]
Look = Float[Tensor, "batch last 1 variable quantile"]


class Network(nn.Module):
    """Reads candles and gives, at each of the last ones, quantiles for every step and price.

    The readout decodes from the newest state, so that step 1 depends on the newest candle. It looks at the state once,
    for all steps at once (a direct decoder), or once for every step, where between two looks a GRU cell carries the
    state on and is fed the median candle of the step before (a sequence-to-sequence decoder).

    Args:
        body: makes the states.
        input_size: features a candle.
        head: name of the head.
        base: pooled training quantiles of the standardised move, for the steps that are learnt.
        looks: 1, or as many as there are steps.
        teacher_forcing: share of training in which the true candle is fed back instead of the median.
        pooled: the same quantiles for every step that is asked for; more than `base` has where steps to come are
            reached by recursion.

    Source: Sutskever et al. (2014) for the sequence-to-sequence decoder, Williams & Zipser (1989) for teacher forcing.
    """

    def __init__(
        self,
        body: Body,
        *,
        input_size: int,
        head: str,
        base: Float[Tensor, "horizon variable quantile"],
        looks: int = 1,
        teacher_forcing: float = 0.0,
        pooled: Float[np.ndarray, "steps variable quantile"] | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        heads = [make_head(head, part) for part in base.chunk(looks)]
        self.heads = nn.ModuleList(heads)
        self.horizon, variables = base.shape[:2]
        self.cells = (self.horizon // looks, variables, heads[0].parameters_per_cell)
        self.pooled = base.numpy() if pooled is None else pooled
        outputs = base.shape[0] * base.shape[1] * self.cells[-1]
        self.readout = nn.Linear(body.output_size, outputs // looks)
        self.skip = nn.Linear(input_size, outputs) if body.skip else None
        nn.init.normal_(self.readout.weight, std=_INITIAL_WEIGHT)
        nn.init.zeros_(self.readout.bias)
        if self.skip is not None:
            nn.init.zeros_(self.skip.weight)
            nn.init.zeros_(self.skip.bias)
        self.carry = nn.GRUCell(variables, body.output_size) if looks > 1 else None
        self.teacher_forcing = teacher_forcing

    def forward(self, inputs: Float[Tensor, "batch time feature"], last: int, truth: Truth | None = None) -> Quantiles:
        """Forecasts made at each of the `last` candles.

        Args:
            truth: standardised moves that came, for teacher forcing.
        """
        tail = getattr(self.body, "tail", None)
        states = self.body(inputs)[:, -last:] if tail is None else tail(inputs, last)
        return self._decoded(states, inputs[:, -last:], truth)

    def _decoded(
        self,
        states: Float[Tensor, "batch last state"],
        inputs: Float[Tensor, "batch last feature"],
        truth: Truth | None = None,
    ) -> Quantiles:
        looks = len(self.heads)
        linear = (None,) * looks if self.skip is None else self.skip(inputs).chunk(looks, dim=-1)
        found: list[Tensor] = []
        for look, head in enumerate(self.heads):
            if self.carry is not None and look:
                states = _stepwise(self.carry, self._fed(found[-1], look - 1, truth), states)
            raw = self.readout(states)
            if linear[look] is not None:
                raw = raw + linear[look]
            found.append(head(raw.unflatten(-1, self.cells)))
        # Joining one part would copy it, and the gradient's last bits hang on how memory is laid out.
        return torch.cat(found, dim=2) if looks > 1 else found[0]

    def _fed(self, quantiles: Look, step: int, truth: Truth | None) -> Float[Tensor, "batch last variable"]:
        """The median candle of a step, or what truly came, drawn anew for each forecast."""
        median = quantiles[:, :, 0, :, quantiles.shape[-1] // 2]
        if truth is None or not self.teacher_forcing:
            return median
        taught = torch.rand(truth.shape[:2], device="cpu").to(truth.device) < self.teacher_forcing
        return torch.where(taught[..., None], truth[:, :, step], median)

    @one_thread()
    def run(
        self, inputs: Float[np.ndarray, "batch time feature"], last: int
    ) -> Float[np.ndarray, "batch last horizon variable quantile"]:
        """`forward` on arrays, without gradients: what a forecast asks of any network."""
        with torch.inference_mode():
            outputs = self(torch.from_numpy(inputs).to(self.readout.weight.device), last)
        array: np.ndarray = outputs.cpu().numpy()
        return array

    @one_thread()
    def advance(
        self, inputs: Float[np.ndarray, "batch time feature"], memory: Memory = ()
    ) -> tuple[Float[np.ndarray, "batch horizon variable quantile"], Memory]:
        """The forecast at the newest candle, going on from what was read before, and what to keep for the next one."""
        with torch.inference_mode():
            candles = torch.from_numpy(inputs).to(self.readout.weight.device)
            states, memory = _read(self.body, candles, memory)
            outputs = self._decoded(states[:, -1:], candles[:, -1:])
        array: np.ndarray = outputs[:, 0].cpu().numpy()
        return array, memory


def _read(body: Body, inputs: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """States of the new candles; a body that cannot go on reads what it can depend on once more."""
    read = getattr(body, "read", None)
    if read is not None:
        states, memory = read(inputs, memory)
        return states, memory
    candles = torch.cat([*memory, inputs], dim=1)
    kept = candles[:, -getattr(body, "reach", candles.shape[1]) :]
    return body(candles), (kept,)


def _stepwise(cell: nn.GRUCell, fed: Tensor, states: Tensor) -> Tensor:
    carried: Tensor = cell(fed.flatten(0, 1), states.flatten(0, 1)).view_as(states)
    return carried
